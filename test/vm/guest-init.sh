#!/bin/sh
# First process of a guest once its root is the machine's own, read-only below an overlay in memory.
# Prepares the system, then runs the commands that arrive on the virtio serial port "control":
#   request   <id> <script, base64>
#   answer    <id> <exit code> o<stdout, base64> e<stderr, base64>
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
for word in $(cat /proc/cmdline); do
  case $word in guest_modules=*) modules=${word#guest_modules=} ;; esac
done
mkdir -p /lib/modules
mount --bind "$modules" /lib/modules
hostname guest
ip link set lo up

for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" = control ] && device=/dev/${port##*/}
done
exec 3<>"$device"
mkdir -p /run/control
echo ready >&3
while read -r id script <&3; do
  echo "$script" | base64 -d >/run/control/script
  sh /run/control/script >/run/control/out 2>/run/control/err </dev/null 3>&-
  printf '%s %s o%s e%s\n' "$id" "$?" "$(base64 -w0 /run/control/out)" "$(base64 -w0 /run/control/err)" >&3
done
poweroff -f
