# Makes a Debian pass for an Alpine: its packages of Docker become a repository of apk's, and apk takes apt's place.
# An apk of version 3 is at /usr/bin/apk already.
mkdir -p /srv/apk/x86_64 /tmp/apk /etc/apk/keys
openssl genrsa -out /tmp/apk/lab.pem 2048
openssl rsa -in /tmp/apk/lab.pem -pubout -out /etc/apk/keys/lab.pub

# package NAME DEPENDS DEB...
package() {
  name=$1 depends=$2
  shift 2
  extract "/tmp/apk/$name" "$@"
  scripts=
  for moment in pre-install pre-deinstall post-deinstall; do
    [ -f "/tmp/apk/$name.$moment" ] && scripts="$scripts --script $moment:/tmp/apk/$name.$moment"
  done
  apk mkpkg --sign-key /tmp/apk/lab.pem --files "/tmp/apk/$name" --output "/srv/apk/x86_64/$name-1-r0.apk" $scripts \
    --info "name:$name" --info version:1-r0 --info arch:x86_64 --info "description:$name" --info "depends:$depends"
}

# In an Alpine, what was installed is neither enabled nor started.
printf '#!/bin/sh\ngetent group docker > /dev/null || groupadd --system docker\n' > /tmp/apk/docker.pre-install
printf '#!/bin/sh\nsystemctl --quiet disable --now docker.service docker.socket || true\n' > /tmp/apk/docker.pre-deinstall
printf '#!/bin/sh\nsystemctl daemon-reload || true\n' > /tmp/apk/docker.post-deinstall
package alpine-baselayout ""
package ca-certificates ""
package needs-runc runc
package runc "" /srv/packages/runc_*
package containerd runc /srv/packages/containerd_*
package docker containerd /srv/packages/docker.io_* /srv/packages/tini_*
apk mkndx --sign-key /tmp/apk/lab.pem --output /srv/apk/x86_64/APKINDEX.tar.gz /srv/apk/x86_64/*.apk
echo /srv/apk > /etc/apk/repositories
echo x86_64 > /etc/apk/arch
# What an Alpine has from the start; its shell and its tools came as something else.
apk add --initdb alpine-baselayout
rm -rf /tmp/apk /var/cache/apk/* /etc/apk/cache
pass_for alpine 3.23.0
