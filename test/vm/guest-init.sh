#!/bin/sh
# First process of a guest once its root is the machine's own, read-only below an overlay in memory.
# Prepares the system, then runs the commands that arrive on the virtio serial port "control":
#   request   <id> <time limit, seconds> <script, base64>
#   answer    <id> <exit code> o<stdout, base64> e<stderr, base64>
# Words of the kernel's command line for us: guest_modules=<folder for /lib/modules>, guest_load=<modules to
# load>, guest_disk=1 (mount the disk), guest_shell=1 (a shell on the console; its end is the guest's).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
# Emulated, compiling is most of what a start of node costs: the second start has it from here.
export NODE_COMPILE_CACHE=/run/node-cache
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
for word in $(cat /proc/cmdline); do
  case $word in guest_*=*) eval "${word%%=*}='${word#*=}'" ;; esac
done
mkdir -p /lib/modules
mount --bind "$guest_modules" /lib/modules
hostname guest
ip link set lo up
[ -z "$guest_load" ] || modprobe -a $(echo "$guest_load" | tr , ' ')
if [ -n "$guest_disk" ]; then
  modprobe -a virtio_blk ext4
  mkdir -p /disk
  mount -t ext4 /dev/vda /disk
fi

mkdir -p /run/control
serve() {
  for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name")" = control ] && device=/dev/${port##*/}
  done
  exec 3<>"$device"
  echo ready >&3
  while read -r id limit script <&3; do
    echo "$script" | base64 -d >/run/control/script
    timeout -k 5 "$limit" sh /run/control/script >/run/control/out 2>/run/control/err </dev/null 3>&-
    printf '%s %s o%s e%s\n' "$id" "$?" "$(base64 -w0 /run/control/out)" "$(base64 -w0 /run/control/err)" >&3
  done
}
if [ -n "$guest_shell" ]; then
  serve &
  cd /root
  setsid -c -w "${SHELL:-/bin/bash}" -i </dev/ttyS0 >/dev/ttyS0 2>&1
else
  serve
fi
poweroff -f
