# SPDX-License-Identifier: GPL-2.0
# Shell functions for tests with virtual SmartNICs on their own bus: source this file where the module is loaded.
SN_DEVICES=/sys/bus/simnic/devices

# sn_knob ID NAME [VALUE...]: shows or sets a knob.
sn_knob() {
  local file=$SN_DEVICES/simnic$1/simnic/$2
  shift 2
  if [ $# = 0 ]; then cat "$file"; else echo "$*" >"$file"; fi
}

# sn_stat ID NAME: one counter of the NIC.
sn_stat() { awk -v name="$2" '$1 == name { print $2 }' "$SN_DEVICES/simnic$1/simnic/stats"; }

# sn_in NETNS COMMAND...: runs it in a network namespace, in this one for "".
sn_in() {
  local netns=$1
  shift
  if [ -n "$netns" ]; then ip netns exec "$netns" "$@"; else "$@"; fi
}

# sn_port ID PORT [NETNS]: the PF's netdev with this phys_port_name (p0, pf0vf1).
sn_port() {
  sn_in "$3" sh -c 'grep -lxs "$1" "$2"/net/*/phys_port_name' sh "$2" "$SN_DEVICES/simnic$1" |
    sed 's|/phys_port_name$||; s|.*/||'
}

# sn_func ID VF [NETNS]: the VF's netdev, while it is in that network namespace.
sn_func() { sn_in "$3" ls "$SN_DEVICES/simnic${1}vf$2/net"; }

# sn_host ID VFS [NETNS]: a NIC with its uplink up<ID> up, and VFs vf<ID>.<N> in namespaces n<ID>.<N> with addresses
# 10.0.<ID>.<N+1>/16. With NETNS, the NIC (its devlink instance, uplink and representors) is in there.
sn_host() {
  local vf
  echo "$1 $2" >/sys/bus/simnic/new_device || return
  [ -z "$3" ] || devlink dev reload "simnic/simnic$1" netns "$3" >/dev/null || return
  sn_in "$3" ip link set "$(sn_port "$1" p0 "$3")" name "up$1"
  sn_in "$3" ip link set "up$1" mtu 1600 up
  echo "$2" >"$SN_DEVICES/simnic$1/sriov_numvfs" || return
  for vf in $(seq 0 $(($2 - 1))); do
    ip netns add "n$1.$vf"
    sn_in "$3" ip link set "$(sn_func "$1" "$vf" "$3")" name "vf$1.$vf"
    sn_in "$3" ip link set "vf$1.$vf" netns "n$1.$vf"
    ip -n "n$1.$vf" addr add "10.0.$1.$((vf + 1))/16" dev "vf$1.$vf"
    ip -n "n$1.$vf" addr add "fd00::$1:$((vf + 1))/64" dev "vf$1.$vf" nodad
    ip -n "n$1.$vf" link set "vf$1.$vf" up
  done
}

# sn_switchdev ID [NETNS]: switchdev mode, with representors rep<ID>.<N> up and ready for rules.
sn_switchdev() {
  local vf
  sn_in "$2" devlink dev eswitch set "simnic/simnic$1" mode switchdev || return
  sn_in "$2" tc qdisc add dev "up$1" clsact
  for vf in $(seq 0 $(($(cat "$SN_DEVICES/simnic$1/sriov_numvfs") - 1))); do
    sn_in "$2" ip link set "$(sn_port "$1" "pf0vf$vf" "$2")" name "rep$1.$vf" up
    sn_in "$2" tc qdisc add dev "rep$1.$vf" clsact
  done
}

# sn_gone ID: removes the NIC and the namespaces of its VFs.
sn_gone() {
  local name
  echo "$1" >/sys/bus/simnic/del_device
  for name in $(ip netns list | awk -v id="n$1." 'index($1, id) == 1 { print $1 }'); do ip netns del "$name"; done
}

# sn_up ID VF: waits until the VF's netdev, in its namespace, takes frames; the kernel notices a link within a second.
sn_up() {
  local try
  for try in $(seq 60); do
    ip -n "n$1.$2" -br link show "vf$1.$2" | grep -q ' UP ' && return
    sleep 0.05
  done
  return 1
}

# sn_ping NS ADDRESS [COUNT]: every echo must be answered.
sn_ping() { ip netns exec "$1" ping -q -c "${3:-3}" -i 0.05 -W 1 "$2" | grep -q ' 0% packet loss'; }
