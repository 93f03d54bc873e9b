/** The virtual SmartNIC's tunnels, between two NICs with a wire, and its table while everything happens at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootWithSimnic, type Lab } from './simnic-lab.ts';

/** Two hosts: NIC 0 in the first network namespace, NIC 1's uplink and tunnel device in `far`; one VF each. */
const SETUP = `sn_host 0 2; sn_host 1 2; sn_knob 0 wire simnic1
sn_switchdev 0; sn_switchdev 1
ip netns add far
ip link set up1 netns far; ip -n far link set up1 up; ip netns exec far tc qdisc replace dev up1 clsact
ip addr add 192.168.7.1/24 dev up0; ip -n far addr add 192.168.7.2/24 dev up1
ip addr add fd07::1/64 dev up0 nodad; ip -n far addr add fd07::2/64 dev up1 nodad
ip link add vx0 type vxlan external dstport 4789; ip link set vx0 up; tc qdisc add dev vx0 clsact
ip -n far link add vx1 address 02:00:00:00:09:02 type vxlan id 77 dstport 4789 remote 192.168.7.1; ip -n far link set vx1 up
ip -n far addr add 10.0.9.2/16 dev vx1
for vf in 0.0 0.1 1.0 1.1; do sn_up \${vf%.*} \${vf#*.}; done
ping -q -c 1 -W 2 192.168.7.2 > /dev/null; ping -q -c 1 -W 2 fd07::2 > /dev/null`;

/** encap DEV PROTOCOL LOCAL REMOTE and decap PROTOCOL LOCAL REMOTE DEV: VNI 77, prio 1 for IP, 2 for ARP, 3 for IPv6. */
const RULES = `prio() { case $1 in ip) echo 1 ;; arp) echo 2 ;; *) echo 3 ;; esac; }
encap() { tc filter add dev $1 ingress prio $(prio $2) protocol $2 flower skip_sw action tunnel_key set id 77 src_ip $3 dst_ip $4 dst_port 4789 \${5:-nocsum} pipe action mirred egress redirect dev vx0; }
decap() { tc filter add dev vx0 ingress prio $(prio $1) protocol $1 flower enc_key_id 77 enc_dst_ip $2 enc_src_ip $3 enc_dst_port 4789 action tunnel_key unset pipe action mirred egress redirect dev $4; }
clean() { for dev in up0 rep0.0 rep0.1 vx0; do tc qdisc del dev $dev clsact; tc qdisc add dev $dev clsact; done; }
join() { for p in ip arp ipv6; do encap rep0.0 $p $1 $2 $3; decap $p $1 $2 rep0.0; done; }
`;

describe('simnic tunnels', () => {
  const scope = new Scope('simtun');
  let lab: Lab;
  const sh = (script: string): Promise<string> => lab.sh(`${RULES}${script}`);

  beforeAll(async () => {
    lab = await bootWithSimnic(scope);
    await lab.sh(SETUP);
  });
  afterAll(() => scope.dispose());

  it('encapsulate and decapsulate in hardware, for a peer that is a kernel', async () => {
    await sh('join 192.168.7.1 192.168.7.2; sn_ping n0.0 10.0.9.2 1');
    const before = await lab.rule('rep0.0', 1);
    const seen = [await lab.received('rep0.0'), await lab.received('vx0')];
    const back = await lab.rule('vx0', 1);
    await sh('sn_ping n0.0 10.0.9.2 10');
    expect((await lab.rule('rep0.0', 1)).hwPackets).toBe(before.hwPackets + 10);
    expect(await lab.rule('vx0', 1)).toMatchObject({
      inHardware: true,
      hwPackets: back.hwPackets + 10,
      swPackets: 0,
    });
    // Ethernet, IP, UDP and VXLAN headers outside.
    expect((await lab.rule('vx0', 1)).hwBytes - back.hwBytes).toBe(10 * (98 + 50));
    expect([await lab.received('rep0.0'), await lab.received('vx0')]).toEqual(seen);
  });

  it('write a UDP checksum where the rule asks for one', async () => {
    await sh('clean; join 192.168.7.1 192.168.7.2 csum; sn_ping n0.0 10.0.9.2');
  });

  it('run over IPv6', async () => {
    await lab.sh(`ip -n far link del vx1; ip -n far link add vx1 address 02:00:00:00:09:02 type vxlan id 77 dstport 4789 remote fd07::1 udp6zerocsumrx udp6zerocsumtx
      ip -n far link set vx1 up; ip -n far addr add 10.0.9.2/16 dev vx1`);
    await sh(
      'clean; join fd07::1 fd07::2; sn_ping n0.0 10.0.9.2; clean; join fd07::1 fd07::2 csum; sn_ping n0.0 10.0.9.2',
    );
    expect(await lab.rule('vx0', 1)).toMatchObject({ inHardware: true, swPackets: 0 });
    await lab.sh('sn_knob 0 quirks no_tunnel_ipv6');
    expect(await lab.refusal(`${RULES} clean; encap rep0.0 ip fd07::1 fd07::2`)).toContain(
      'over IPv6 are not supported',
    );
    await lab.sh(`sn_knob 0 quirks none; ip -n far link del vx1
      ip -n far link add vx1 address 02:00:00:00:09:02 type vxlan id 77 dstport 4789 remote 192.168.7.1; ip -n far link set vx1 up
      ip -n far addr add 10.0.9.2/16 dev vx1`);
  });

  it('wait for a neighbour, and follow it', async () => {
    await sh(`clean; join 192.168.7.1 192.168.7.2; sn_ping n0.0 10.0.9.2
      ip -n far link set up1 address 02:00:00:00:77:02; ip neigh del 192.168.7.2 dev up0
      ping -q -c 1 -W 2 192.168.7.2; sn_ping n0.0 10.0.9.2`);
    await sh(
      'ip neigh replace 192.168.7.2 lladdr 02:00:00:00:77:99 dev up0 nud permanent; ! sn_ping n0.0 10.0.9.2',
    );
    await sh(
      'ip neigh del 192.168.7.2 dev up0; ping -q -c 1 -W 2 192.168.7.2; sleep 1.2; sn_ping n0.0 10.0.9.2',
    );
  });

  it('follow the route, and are refused where it leads elsewhere', async () => {
    expect(await lab.refusal(`${RULES} clean; encap rep0.0 ip 127.0.0.1 127.0.0.9`)).toContain(
      "does not leave by this NIC's uplink",
    );
    await sh('clean; join 192.168.7.1 192.168.7.2; ip addr del 192.168.7.1/24 dev up0; sleep 1.3');
    const misses = await lab.stat(0, 'misses');
    await sh('! sn_ping n0.0 10.0.9.2');
    expect(await lab.stat(0, 'misses')).toBeGreaterThan(misses);
    await sh(
      'ip addr add 192.168.7.1/24 dev up0; sleep 1.3; ping -q -c 1 -W 2 192.168.7.2; sn_ping n0.0 10.0.9.2',
    );
  });

  it('are refused with encap mode none', async () => {
    await sh('clean; devlink dev eswitch set simnic/simnic0 encap-mode none');
    expect(await lab.refusal(`${RULES} encap rep0.0 ip 192.168.7.1 192.168.7.2`)).toContain(
      'encap mode is none',
    );
    await sh('devlink dev eswitch set simnic/simnic0 encap-mode basic');
  });

  it('need an entry each, and decapsulation', async () => {
    await sh('clean; sn_knob 0 encap_max 1; encap rep0.0 ip 192.168.7.1 192.168.7.2');
    expect(await lab.refusal(`${RULES} encap rep0.0 arp 192.168.7.1 192.168.7.2`)).toContain(
      'no encapsulation entry left',
    );
    await sh('sn_knob 0 encap_max 0; sn_knob 0 actions -decap; decap ip 192.168.7.1 192.168.7.2 rep0.0');
    expect(await lab.rule('vx0', 1)).toMatchObject({ inHardware: false });
    await lab.sh('sn_knob 0 actions all');
  });

  it('lose frames that the uplink is too small for', async () => {
    await sh('clean; join 192.168.7.1 192.168.7.2; ip link set up0 mtu 1500');
    const before = await lab.stat(0, 'drop_mtu');
    await sh('! ip netns exec n0.0 ping -q -M do -s 1472 -c 2 -i 0.1 -W 1 10.0.9.2; sn_ping n0.0 10.0.9.2');
    expect(await lab.stat(0, 'drop_mtu')).toBe(before + 2);
    await sh('ip link set up0 mtu 1600; ip netns exec n0.0 ping -q -M do -s 1422 -c 2 -i 0.1 -W 1 10.0.9.2');
  });

  it('stand rules, traffic, losses and VFs that come and go at the same time', async () => {
    await sh('clean; join 192.168.7.1 192.168.7.2; sn_knob 0 evict_every_ms 5; sn_knob 0 reset_ms 20');
    await sh(`ip netns exec n0.0 ping -f -q -w 6 10.0.9.2 > /dev/null & ip netns exec n0.1 ping -f -q -w 6 10.0.0.1 > /dev/null &
      for worker in 1 2; do
        for round in $(seq 4); do
          for n in $(seq 200); do
            echo "filter add dev rep0.1 ingress prio 10$worker protocol ip flower skip_sw dst_ip 10.$worker.$round.$n action mirred egress redirect dev rep0.0"
          done
          echo "filter del dev rep0.1 ingress prio 10$worker"
        done > /run/batch$worker
        tc -force -batch /run/batch$worker > /dev/null 2>&1 &
      done
      for round in 1 2 3; do
        echo 0 > $SN_DEVICES/simnic1/sriov_numvfs; echo 2 > $SN_DEVICES/simnic1/sriov_numvfs
        sn_knob 0 reset 1; sn_knob 1 wire none; sn_knob 0 wire simnic1; tc -s filter show dev rep0.0 ingress > /dev/null
      done
      wait`);
    await sh(
      'sn_knob 0 evict_every_ms 0; clean; [ $(sn_stat 0 rules) = 0 ]; sn_up 0 0; join 192.168.7.1 192.168.7.2; sn_ping n0.0 10.0.9.2',
    );
  });

  it('connect VFs of two hosts, with hardware at both ends', async () => {
    await sh(`clean; ip netns add h3; sn_host 2 1; sn_host 3 1 h3; sn_knob 2 wire simnic3; sn_switchdev 2; sn_switchdev 3 h3
      ip addr add 192.168.8.2/24 dev up2; ip -n h3 addr add 192.168.8.3/24 dev up3
      ip -n h3 link add vx0 type vxlan external dstport 4789; ip -n h3 link set vx0 up; ip netns exec h3 tc qdisc add dev vx0 clsact
      ping -q -c 1 -W 2 192.168.8.3; sn_up 2 0; sn_up 3 0`);
    const host = (local: string, remote: string, rep: string): string =>
      ['ip', 'arp', 'ipv6']
        .map(
          protocol =>
            `encap ${rep} ${protocol} ${local} ${remote}; decap ${protocol} ${local} ${remote} ${rep}`,
        )
        .join('; ');
    await sh(host('192.168.8.2', '192.168.8.3', 'rep2.0'));
    await lab.sh(`cat > /run/h3.sh <<'EOF'
${RULES}${host('192.168.8.3', '192.168.8.2', 'rep3.0')}
EOF
      ip netns exec h3 sh -e /run/h3.sh; sn_ping n2.0 10.0.3.1; sn_ping n2.0 fd00::3:1`);
    expect((await lab.rule('rep2.0', 1)).hwPackets).toBeGreaterThanOrEqual(3);
    // The NIC outlives the namespace.
    await lab.sh(
      'ip netns del h3; sleep 0.5; sn_port 3 p0 | grep -q .; devlink dev show simnic/simnic3; sn_gone 2; sn_gone 3',
    );
  });

  it('takes many rules quickly, and forgets them all when it goes', async () => {
    await sh('clean');
    const seconds = await lab.sh(`for n in $(seq 0 9999); do
        echo "filter add dev rep0.0 ingress prio 1 handle $((n + 1)) protocol ip flower skip_sw dst_ip 10.9.$((n / 250)).$((n % 250)) action mirred egress redirect dev rep0.1"
      done > /run/batch
      start=$(date +%s%N); tc -batch /run/batch; echo $((($(date +%s%N) - start) / 1000000))
      [ $(sn_stat 0 rules) = 10000 ]`);
    console.log(`10,000 rules in ${seconds} ms`);
    await lab.sh('sn_gone 0; ip link del vx0; sn_gone 1; rmmod simnic');
    const trace = await lab.sh('dmesg | grep -A 30 -E "WARNING: |BUG: |Oops|unregister_netdevice" || true');
    expect(await lab.guest.complaints(), trace).toEqual([]);
  });
});
