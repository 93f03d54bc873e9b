#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The data path beside its peers, in network namespaces of its own, without daemon or Docker:
#   veth    a bare veth pair between two namespaces (the limit)
#   bridge  a Linux bridge with two veths and the iptables rules that Docker has
#   eswitch eswitch.bpf.o on two representors
# Rounds are interleaved. Prints one line per case and a table of medians; --json FILE too.
#
#   native/bench/lab.sh [--rounds 7] [--seconds 2] [--cases "udp64 rr tcp"] [--family 4|6]
#                       [--hook tcx|clsact] [--ports 2] [--pin "0 1"|none] [--setups "…"]
set -euo pipefail

rounds=7 seconds=2 cases="udp64 rr tcp" family=4 hook=tcx ports=2 pins="0 1" json=""
setups="veth bridge eswitch"
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2 ;; --seconds) seconds=$2 ;; --cases) cases=$2 ;; --family) family=$2 ;;
	--hook) hook=$2 ;; --ports) ports=$2 ;; --pin) pins=$2 ;; --setups) setups=$2 ;; --json) json=$2 ;;
	*) echo "unknown option $1" >&2; exit 2 ;;
	esac
	shift 2
done

here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${LAB_INSIDE:-}" ]; then # a mount namespace of our own, for the bpffs
	exec env LAB_INSIDE=1 unshare -m "$0" --rounds "$rounds" --seconds "$seconds" --cases "$cases" \
		--family "$family" --hook "$hook" --ports "$ports" --pin "$pins" --setups "$setups" --json "$json"
fi

tag=tdp$$
work=$(mktemp -d /tmp/${tag}XXXXXX) # no dots: libbpf replaces them in pin paths
namespaces=""
cleanup() {
	for n in $namespaces; do ip netns del "$n" 2>/dev/null || true; done
	umount "$work/bpf" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

netns() { # namespace tag-$1
	ip netns add "$tag-$1"
	namespaces="$namespaces $tag-$1"
	ip -n "$tag-$1" link set lo up
}

build() {
	gcc -O2 -std=gnu11 -D_GNU_SOURCE -static "$here/esw_traffic.c" -o "$work/esw_traffic"
	gcc -O2 -std=gnu11 -I"$here/../bpf" "$here/lab/lab_load.c" -o "$work/lab_load" -lbpf
	clang-14 -O2 -g -mcpu=v3 -target bpf -idirafter "/usr/include/$(uname -m)-linux-gnu" \
		${LAB_CFLAGS:-} -c "${LAB_SOURCE:-$here/../bpf/eswitch.bpf.c}" -o "$work/eswitch.o"
}

# End of a setup in namespace $1: device $2, host number $3.
address() {
	ip -n "$1" addr add "10.99.0.$3/16" dev "$2"
	ip -n "$1" addr add "fd99::$3/64" dev "$2" nodad
	ip -n "$1" link set "$2" up
}

setup_veth() {
	netns veth-a; netns veth-b
	ip -n "$tag-veth-a" link add eth0 type veth peer name eth0 netns "$tag-veth-b"
	address "$tag-veth-a" eth0 1; address "$tag-veth-b" eth0 2
}

docker_rules() { # what dockerd 20.10 leaves in namespace $1 for one bridge br0
	ip netns exec "$1" sh -c '
	for t in iptables ip6tables; do
	case $t in iptables) net=10.99.0.0/16 ;; *) net=fd99::/64 ;; esac
	$t -t nat -N DOCKER; $t -N DOCKER; $t -N DOCKER-USER
	$t -N DOCKER-ISOLATION-STAGE-1; $t -N DOCKER-ISOLATION-STAGE-2
	$t -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	$t -t nat -A POSTROUTING -s $net ! -o br0 -j MASQUERADE
	$t -t nat -A DOCKER -i br0 -j RETURN
	$t -P FORWARD DROP
	$t -A FORWARD -j DOCKER-USER
	$t -A FORWARD -j DOCKER-ISOLATION-STAGE-1
	$t -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	$t -A FORWARD -o br0 -j DOCKER
	$t -A FORWARD -i br0 ! -o br0 -j ACCEPT
	$t -A FORWARD -i br0 -o br0 -j ACCEPT
	$t -A DOCKER-USER -j RETURN
	$t -A DOCKER-ISOLATION-STAGE-1 -i br0 ! -o br0 -j DOCKER-ISOLATION-STAGE-2
	$t -A DOCKER-ISOLATION-STAGE-1 -j RETURN
	$t -A DOCKER-ISOLATION-STAGE-2 -o br0 -j DROP
	$t -A DOCKER-ISOLATION-STAGE-2 -j RETURN
	done
	sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1'
}

setup_bridge() {
	netns bridge-h; netns bridge-a; netns bridge-b
	ip -n "$tag-bridge-h" link add br0 type bridge
	ip -n "$tag-bridge-h" addr add 10.99.255.254/16 dev br0
	for e in a b; do
		ip -n "$tag-bridge-h" link add "v$e" type veth peer name eth0 netns "$tag-bridge-$e"
		ip -n "$tag-bridge-h" link set "v$e" master br0 up
	done
	ip -n "$tag-bridge-h" link set br0 up
	docker_rules "$tag-bridge-h" || echo "# bridge without Docker's rules" >&2
	address "$tag-bridge-a" eth0 1; address "$tag-bridge-b" eth0 2
}

setup_eswitch() {
	local args="" i=0
	netns eswitch-h; netns eswitch-a; netns eswitch-b
	for e in a b; do
		i=$((i + 1))
		ip -n "$tag-eswitch-h" link add "r$e" address 02:e5:00:00:00:fe type veth \
			peer name eth0 address "02:e5:00:00:00:0$i" netns "$tag-eswitch-$e"
		ip -n "$tag-eswitch-h" link set "r$e" addrgenmode none up
		args="$args r$e 02:e5:00:00:00:0$i 10.99.0.$i fd99::$i"
	done
	mkdir -p "$work/bpf"
	mount -t bpf bpf "$work/bpf"
	mkdir "$work/bpf/maps"
	nsenter --net="/run/netns/$tag-eswitch-h" "$work/lab_load" "$work/eswitch.o" "$work/bpf" "$hook" \
		"$((ports - 2))" 02:e5:00:00:00:fe $args
	address "$tag-eswitch-a" eth0 1; address "$tag-eswitch-b" eth0 2
	if [ -n "${LAB_TUNE:-}" ]; then (ns=$tag-eswitch; eval "$LAB_TUNE"); fi
}

# run SETUP CASE: prints one number, more is better.
run() {
	local a="nsenter --net=/run/netns/$tag-$1-a $work/esw_traffic" key server client
	local b="nsenter --net=/run/netns/$tag-$1-b $work/esw_traffic" pin_a="" pin_b=""
	local to=10.99.0.2 any=0.0.0.0
	if [ "$family" = 6 ]; then to=fd99::2 any=::; fi
	if [ "$pins" != none ]; then pin_a="--cpu ${pins% *}" pin_b="--cpu ${pins#* }"; fi
	case $2 in
	udp64) server="udp-sink --idle 0.2" client="udp-flood --size 64" key=pps ;;
	rr) server="tcp-rr-server --rounds 1" client=tcp-rr-client key=tps ;;
	tcp) server="tcp-stream-server --rounds 1" client=tcp-stream-client key=gbps ;;
	esac
	$b $server --listen $any $pin_b >"$work/server" &
	local pid=$!
	sleep 0.15
	$a $client --dst $to --seconds "$seconds" $pin_a >"$work/client"
	wait $pid
	if [ "$2" = udp64 ]; then jq -r ".$key" "$work/server"; else jq -r ".$key" "$work/client"; fi
}

build
for s in $setups; do setup_$s; done
sleep 0.5
for s in $setups; do # neighbours resolved, caches warm
	nsenter --net=/run/netns/$tag-$s-a busybox ping -q -c 2 -i 0.2 10.99.0.2 >/dev/null || { echo "$s: no ping" >&2; exit 1; }
	nsenter --net=/run/netns/$tag-$s-a busybox ping -q -c 2 -i 0.2 fd99::2 >/dev/null || { echo "$s: no ping6" >&2; exit 1; }
done
for ((r = 1; r <= rounds; r++)); do
	for c in $cases; do
		line="round $r $c"
		for s in $setups; do
			v=$(run "$s" "$c")
			echo "$v" >>"$work/$c.$s"
			line="$line $s=$v"
		done
		echo "$line" >&2
	done
done

median() { sort -g "$1" | awk '{v[NR]=$1} END{print NR%2 ? v[(NR+1)/2] : (v[NR/2]+v[NR/2+1])/2}'; }
# ratio FILE FILE: median min max of the per-round quotients
ratio() { paste "$1" "$2" | awk '$2>0{print $1/$2}' | sort -g | awk '{v[NR]=$1} END{printf "%.3f %.3f %.3f\n", NR%2 ? v[(NR+1)/2] : (v[NR/2]+v[NR/2+1])/2, v[1], v[NR]}'; }
rows=""
for c in $cases; do
	for s in $setups; do printf '%-6s %-8s median %s\n' "$c" "$s" "$(median "$work/$c.$s")"; done
	for s in $setups; do
		[ "$s" = eswitch ] || [ ! -f "$work/$c.eswitch" ] && continue
		read -r m lo hi <<<"$(ratio "$work/$c.eswitch" "$work/$c.$s")"
		printf '%-6s eswitch/%-8s %s (%s … %s, %d rounds)\n' "$c" "$s" "$m" "$lo" "$hi" "$rounds"
		rows="$rows{\"case\":\"$c\",\"peer\":\"$s\",\"median\":$m,\"min\":$lo,\"max\":$hi,\"rounds\":$rounds},"
	done
done
if [ -n "$json" ]; then echo "[${rows%,}]" | jq . >"$json"; fi
