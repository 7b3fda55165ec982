#!/bin/sh
# What a cloud's machine does on its first boot, and how it is asked whether it has.
finished=/var/lib/cloud/instance/boot-finished
data=/var/lib/cloud/instance/user-data.txt
case "$1" in
first-boot)
  [ -e "$finished" ] && exit 0
  head -c 2 "$data" | grep -q '#!' && sh "$data"
  touch "$finished"
  ;;
status)
  [ "$2" = --wait ] && while [ ! -e "$finished" ]; do sleep 0.1; done
  if [ -e "$finished" ]; then echo "status: done"; else echo "status: running"; fi
  ;;
*)
  echo "usage: cloud-init status [--wait]" >&2
  exit 2
  ;;
esac
