# Makes a Debian pass for an Arch: its packages of Docker become a repository of pacman's, and pacman takes apt's place.
apt-get install -y -q --no-install-recommends pacman-package-manager makepkg libarchive-tools
mkdir -p /srv/pacman /tmp/pacman

# package NAME DEPENDS DEB...
package() {
  name=$1 depends=$2
  shift 2
  extract "/tmp/pacman/$name" "$@"
  {
    printf 'pkgname = %s\npkgver = 1-1\npkgdesc = %s\narch = %s\nbuilddate = 0\n' "$name" "$name" "$(uname -m)"
    echo "size = $(du -sb "/tmp/pacman/$name" | cut -f1)"
    for other in $depends; do echo "depend = $other"; done
  } > "/tmp/pacman/$name/.PKGINFO"
  cp "/tmp/pacman/$name.install" "/tmp/pacman/$name/.INSTALL" 2> /dev/null || true
  (cd "/tmp/pacman/$name" && bsdtar -czf "/srv/pacman/$name-1-1-$(uname -m).pkg.tar.gz" .PKGINFO $(ls -A | grep -v '^\.PKGINFO$'))
}

# In an Arch, what was installed is neither enabled nor started.
cat > /tmp/pacman/docker.install <<'END'
post_install() {
  getent group docker > /dev/null || groupadd --system docker
}
pre_remove() {
  systemctl --quiet disable --now docker.service docker.socket || true
}
post_remove() {
  systemctl daemon-reload || true
}
END
package filesystem ""
package needs-runc runc
package runc "" /srv/packages/runc_*
package containerd runc /srv/packages/containerd_*
package docker containerd /srv/packages/docker.io_* /srv/packages/tini_*
repo-add -q /srv/pacman/extra.db.tar.gz /srv/pacman/*.pkg.tar.gz
printf '[options]\nArchitecture = auto\nSigLevel = Never\n[extra]\nServer = file:///srv/pacman\n' > /etc/pacman.conf
# No Arch is without packages, and none has a list of those that it could have before it is told to fetch it.
pacman --sync --refresh --noconfirm filesystem
rm -rf /tmp/pacman /var/lib/pacman/sync
pass_for arch rolling
