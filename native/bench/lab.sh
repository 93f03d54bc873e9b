#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The data path beside its peers, in network namespaces of its own, without daemon or Docker:
#   veth    a bare veth pair between two namespaces (the limit)
#   bridge  a Linux bridge with two veths and the iptables rules that Docker has
#   eswitch eswitch.bpf.c on two representors
#   other   the same with LAB_SOURCE, LAB_CFLAGS and LAB_TUNE (shell commands; $host is the
#           namespace of the representors ra and rb), to compare one change with what is there
# Traffic runs in short slices, setup after setup; ratios are taken slice by slice, so a noisy
# neighbour cancels out. Prints medians and quartiles; --json FILE too.
#
#   native/bench/lab.sh [--rounds 100] [--slice-ms 20] [--cases "udp64 cost64 rr tcp"] [--family 4|6]
#                       [--hook tcx|clsact] [--ports 2] [--pin "CLIENT SERVER"] [--setups "…"]
#                       [--realtime]  (ahead of everything else on a busy machine)
set -euo pipefail

rounds=100 slice_ms=20 cases="udp64 rr tcp" family=4 hook=tcx ports=2 pins="" json="" realtime=""
setups="veth bridge eswitch"
while [ $# -gt 0 ]; do
	case $1 in
	--realtime) realtime="chrt -f 1"; shift; continue ;;
	--rounds) rounds=$2 ;; --slice-ms) slice_ms=$2 ;; --cases) cases=$2 ;; --family) family=$2 ;;
	--hook) hook=$2 ;; --ports) ports=$2 ;; --pin) pins=$2 ;; --setups) setups=$2 ;; --json) json=$2 ;;
	*) echo "unknown option $1" >&2; exit 2 ;;
	esac
	shift 2
done

here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${LAB_INSIDE:-}" ]; then # a mount namespace of our own, for the bpffs
	exec env LAB_INSIDE=1 unshare -m "$0" --rounds "$rounds" --slice-ms "$slice_ms" --cases "$cases" \
		--family "$family" --hook "$hook" --ports "$ports" --pin "$pins" --setups "$setups" --json "$json" ${realtime:+--realtime}
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
	gcc -O2 -std=gnu11 -D_GNU_SOURCE "$here/lab/lab_compare.c" -o "$work/lab_compare" -pthread
	gcc -O2 -std=gnu11 -I"$here/../bpf" "$here/lab/lab_load.c" -o "$work/lab_load" -lbpf
	build_bpf eswitch "$here/../bpf/eswitch.bpf.c"
	build_bpf other "${LAB_SOURCE:-$here/../bpf/eswitch.bpf.c}" ${LAB_CFLAGS:-}
}

build_bpf() { # object $1 from $2
	local name=$1
	shift
	clang-14 -O2 -g -mcpu=v3 -target bpf -idirafter "/usr/include/$(uname -m)-linux-gnu" -c "$@" -o "$work/$name.o"
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

software_eswitch() { # named $1
	local name=$1 args="" i=0 dir=$work/bpf/$1
	netns "$name-h"; netns "$name-a"; netns "$name-b"
	for e in a b; do
		i=$((i + 1))
		ip -n "$tag-$name-h" link add "r$e" address 02:e5:00:00:00:fe type veth \
			peer name eth0 address "02:e5:00:00:00:0$i" netns "$tag-$name-$e"
		ip -n "$tag-$name-h" link set "r$e" addrgenmode none up
		args="$args r$e 02:e5:00:00:00:0$i 10.99.0.$i fd99::$i"
	done
	mountpoint -q "$work/bpf" || { mkdir "$work/bpf"; mount -t bpf bpf "$work/bpf"; }
	mkdir -p "$dir/maps"
	nsenter --net="/run/netns/$tag-$name-h" "$work/lab_load" "$work/$name.o" "$dir" "$hook" \
		"$((ports - 2))" 02:e5:00:00:00:fe $args
	address "$tag-$name-a" eth0 1; address "$tag-$name-b" eth0 2
}

setup_eswitch() { software_eswitch eswitch; }

setup_other() {
	software_eswitch other
	if [ -n "${LAB_TUNE:-}" ]; then (host=$tag-other-h; eval "$LAB_TUNE"); fi
}

build
for s in $setups; do setup_$s; done
sleep 0.5
for s in $setups; do # neighbours resolved, caches warm
	nsenter --net=/run/netns/$tag-$s-a busybox ping -q -c 2 -i 0.2 10.99.0.2 >/dev/null || { echo "$s: no ping" >&2; exit 1; }
	nsenter --net=/run/netns/$tag-$s-a busybox ping -q -c 2 -i 0.2 fd99::2 >/dev/null || { echo "$s: no ping6" >&2; exit 1; }
done
# Two CPUs where both sides work at the same time, one for a ping-pong: only one side works at a
# time, and waking another CPU costs more than any path.
placement() {
	if [ -n "$pins" ]; then echo "$pins"; elif [ "$1" = rr ]; then echo 0 0; else echo 0 1; fi
}

arguments=""
for s in $setups; do arguments="$arguments $s:$tag-$s-a:$tag-$s-b"; done
for c in $cases; do
	$realtime "$work/lab_compare" "$c" "$rounds" "$slice_ms" $(placement "$c") "$family" $arguments >"$work/$c"
	i=0
	for s in $setups; do i=$((i + 1)); cut -d' ' -f$i "$work/$c" >"$work/$c.$s"; done
done

# Middle half of the numbers on standard input: median, lower and upper quartile.
quartiles() { sort -g | awk '{v[NR]=$1} function q(p, k){k=1+(NR-1)*p; return v[int(k)]+(k-int(k))*(v[int(k)+(k>int(k))]-v[int(k)])} END{printf "%.5g %.5g %.5g %.5g %.5g\n", q(.5), q(.25), q(.75), v[1], v[NR]}'; }
rows=""
for c in $cases; do
	for s in $setups; do
		read -r m lo hi _ <<<"$(quartiles <"$work/$c.$s")"
		printf '%-6s %-16s %s (quartiles %s … %s)\n' "$c" "$s" "$m" "$lo" "$hi"
	done
	for s in $setups; do
		if [ "$s" = eswitch ] || [ ! -f "$work/$c.eswitch" ]; then continue; fi
		read -r m lo hi min max <<<"$(paste "$work/$c.eswitch" "$work/$c.$s" | awk '$2>0{print $1/$2}' | quartiles)"
		printf '%-6s %-16s %s (quartiles %s … %s, %d slices)\n' "$c" "eswitch/$s" "$m" "$lo" "$hi" "$rounds"
		rows="$rows{\"case\":\"$c\",\"peer\":\"$s\",\"median\":$m,\"q1\":$lo,\"q3\":$hi,\"min\":$min,\"max\":$max,\"rounds\":$rounds},"
	done
done
if [ -n "$json" ]; then echo "[${rows%,}]" | jq . >"$json"; fi
