# Makes a layer above a tree by running a script in it, in mounts of its own.
# Arguments: the tree, the layer, a folder for work with the script in it, where packages come from, and of which release.
set -e
tree=$1 layer=$2 work=$3 mirror=$4 codename=$5
mkdir -p "$layer" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$layer,workdir=$work/work" "$work/root"
cd "$work/root"
mount -t proc proc proc
cp "$work/script" root/script
cp /etc/resolv.conf etc/resolv.conf
cp etc/apt/sources.list root/sources.list
echo "deb $mirror $codename main universe" > etc/apt/sources.list
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot . apt-get update -q
chroot . sh -e /root/script
rm -rf root/script etc/resolv.conf var/lib/apt/lists/* var/cache/apt/*
mv root/sources.list etc/apt/sources.list
: > etc/resolv.conf
