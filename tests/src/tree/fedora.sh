# Makes a Debian pass for a Fedora: its packages of Docker become a repository of RPMs, and dnf takes apt's place.
apt-get install -y -q --no-install-recommends dnf rpm createrepo-c
mkdir -p /etc/rpm /etc/yum.repos.d /srv/rpm /tmp/rpm
cat > /etc/rpm/macros <<END
%_dbpath /var/lib/rpm
%_rpmdir /srv/rpm
%_binary_payload w1.gzdio
%_build_id_links none
%__os_install_post %{nil}
%debug_package %{nil}
END

# package NAME REQUIRES DEB...
package() {
  name=$1 requires=$2
  shift 2
  extract "/tmp/rpm/$name" "$@"
  {
    printf 'Name: %s\nVersion: 1\nRelease: 1.fc40\nSummary: %s\nLicense: Apache-2.0\nAutoReqProv: no\n' "$name" "$name"
    for other in $requires; do echo "Requires: $other"; done
    cat "/tmp/rpm/$name.more" 2> /dev/null || true
    printf '%%description\n%s\n%%install\ncp -a /tmp/rpm/%s/. %%{buildroot}/\n%%files\n' "$name" "$name"
    (cd "/tmp/rpm/$name" && find . ! -type d -printf '"/%P"\n')
  } > "/tmp/rpm/$name.spec"
  rpmbuild -bb --quiet "/tmp/rpm/$name.spec"
}

# What RPM wants to find that came as something else.
printf 'Provides: /bin/sh\nProvides: system-release = 40\n' > /tmp/rpm/fedora-release.more
# In a Fedora, what was installed is neither enabled nor started.
cat > /tmp/rpm/moby-engine.more <<'END'
%pre
getent group docker > /dev/null || groupadd --system docker
%preun
[ $1 -gt 0 ] || systemctl --quiet disable --now docker.service docker.socket || true
%postun
systemctl daemon-reload || true
END
package needs-runc runc
package fedora-release ""
package runc "" /srv/packages/runc_*
package containerd runc /srv/packages/containerd_*
package moby-engine containerd /srv/packages/docker.io_* /srv/packages/tini_*
createrepo_c --quiet /srv/rpm
rpm --install --force-debian /srv/rpm/*/fedora-release-*
printf '[fedora]\nname=Fedora\nbaseurl=file:///srv/rpm\ngpgcheck=0\n' > /etc/yum.repos.d/fedora.repo
rm -rf /tmp/rpm
pass_for fedora 40
