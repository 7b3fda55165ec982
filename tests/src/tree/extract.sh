# extract FOLDER DEB...: what is in these packages, laid out as where `/lib` is a link.
extract() {
  folder=$1
  shift
  mkdir -p "$folder"
  for deb in "$@"; do dpkg-deb --extract "$deb" "$folder"; done
  if [ -d "$folder/lib" ]; then
    mkdir -p "$folder/usr"
    cp -a "$folder/lib" "$folder/usr/"
    rm -rf "$folder/lib"
  fi
  rm -rf "$folder/usr/share"
}

# pass_for ID VERSION: from now on this is such a distribution, and nothing is left of apt.
pass_for() {
  rm -rf /usr/bin/apt* /usr/bin/dpkg* /etc/os-release
  printf 'ID=%s\nVERSION_ID=%s\n' "$1" "$2" > /etc/os-release
}

