# Runs as the first process of a machine's namespaces, before its own init: makes its root and becomes its init.
# Arguments: the machine's name, the tree, its own folder; then for each control group hierarchy: path, kind, options.
set -e
name=$1 tree=$2 folder=$3
shift 3

hostname "$name"
root=$folder/root
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/upper,workdir=$folder/work" "$root"
# Engines need a file system that overlays can lie on, which an overlay is not.
for data in docker containerd; do
  mkdir -p "$root/var/lib/$data"
  mount --bind "$folder/$data" "$root/var/lib/$data"
done

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
# Settings of the kernel are this machine's, but for those of the network, which are the namespace's.
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs sysfs "$root/sys"

mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$root/run"

[ "$1" = /sys/fs/cgroup ] || mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
while [ $# -gt 0 ]; do
  mkdir -p "$root$1"
  if [ "$2" = cgroup2 ]; then
    mount -t cgroup2 cgroup2 "$root$1"
  else
    mount -t cgroup -o "$3" cgroup "$root$1"
  fi
  shift 3
done

cd "$root"
mkdir -p .outside
pivot_root . .outside
exec env -i container=bimetal PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  sh -c 'umount -l /.outside; rmdir /.outside; exec /lib/systemd/systemd --system --log-target=console --show-status=0' \
  </.outside/dev/null
