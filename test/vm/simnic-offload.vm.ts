/** The virtual SmartNIC's flow table: matches, actions, counters, refusals and losses. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootWithSimnic, type Lab } from './simnic-lab.ts';

/** Two NICs with a wire between them, two VFs each, in switchdev mode. */
const SETUP = `sn_host 0 2; sn_host 1 2; sn_knob 0 wire simnic1
sn_switchdev 0; sn_switchdev 1; sn_up 0 0; sn_up 0 1; sn_up 1 0; sn_up 1 1
ip addr add 192.168.7.1/24 dev up0; ip addr add fd07::1/64 dev up0 nodad
ip netns add far; ip link set up1 netns far; ip -n far link set up1 up
ip -n far addr add 192.168.7.2/24 dev up1; ip -n far addr add fd07::2/64 dev up1 nodad`;

/** No rules, no limits. */
const CLEAN = `for dev in up0 rep0.0 rep0.1 rep1.0; do tc qdisc del dev $dev clsact; tc qdisc add dev $dev clsact; done
for nic in 0 1; do
  for knob in "keys all" "actions all" "quirks none" "table_size 65536" "delay_us 0" "chain_max 0" "prio_max 0" "actions_max 32"; do sn_knob $nic $knob; done
done`;

/** Frames of every protocol from one port to the other and back; prio 1 and 2. */
const JOIN = `join() {
  tc filter add dev $1 ingress prio 1 protocol all flower skip_sw action mirred egress redirect dev $2
  tc filter add dev $2 ingress prio 1 protocol all flower skip_sw action mirred egress redirect dev $1
}
`;

const PING = 98;

describe('simnic flower', () => {
  const scope = new Scope('simoff');
  let lab: Lab;
  const add = (device: string, rule: string): Promise<string> =>
    lab.sh(`tc filter add dev ${device} ingress ${rule}`);
  const refused = (device: string, rule: string): Promise<string> =>
    lab.refusal(`tc filter add dev ${device} ingress ${rule}`);

  beforeAll(async () => {
    lab = await bootWithSimnic(scope);
    await lab.sh(SETUP);
  });
  beforeEach(() => lab.sh(CLEAN));
  afterAll(() => scope.dispose());

  describe('forwarding', () => {
    it('moves frames between VFs in hardware, counted exactly, past the representors', async () => {
      // Rules of their own for what the kernel sends by itself.
      await lab.sh(`${JOIN} join rep0.0 rep0.1
        tc filter del dev rep0.0 ingress prio 1
        tc filter add dev rep0.0 ingress prio 1 protocol ip flower skip_sw ip_proto icmp action mirred egress redirect dev rep0.1
        tc filter add dev rep0.0 ingress prio 10 protocol all flower skip_sw action mirred egress redirect dev rep0.1
        sn_ping n0.0 10.0.0.2 1`);
      const before = await lab.rule('rep0.0', 1);
      const received = await lab.received('rep0.0');
      await lab.sh('sn_ping n0.0 10.0.0.2 20');
      const after = await lab.rule('rep0.0', 1);
      expect(after).toMatchObject({ inHardware: true, reported: true, swPackets: 0 });
      expect(after.hwPackets - before.hwPackets).toBe(20);
      expect(after.hwBytes - before.hwBytes).toBe(20 * PING);
      expect(await lab.received('rep0.0')).toBe(received);
    });

    it('reads the counters as often as the NIC does', async () => {
      await lab.sh(`${JOIN} join rep0.0 rep0.1; sn_knob 0 stats_every_ms 600000; sn_ping n0.0 10.0.0.2 5`);
      expect((await lab.rule('rep0.0', 1)).hwPackets).toBe(0);
      await lab.sh('sn_knob 0 stats_every_ms 0');
      expect((await lab.rule('rep0.0', 1)).hwPackets).toBeGreaterThanOrEqual(5);
    });

    it('carries IPv6, also by address', async () => {
      await lab.sh(`${JOIN} join rep0.0 rep0.1; sn_ping n0.0 fd00::0:2`);
      await lab.sh('tc filter del dev rep0.0 ingress');
      await add(
        'rep0.0',
        'prio 3 protocol ipv6 flower skip_sw dst_ip fd00::0:2 action mirred egress redirect dev rep0.1',
      );
      await lab.sh('sn_ping n0.0 fd00::0:2');
      expect((await lab.rule('rep0.0', 3)).hwPackets).toBeGreaterThanOrEqual(3);
    });

    it('leaves by the wire and comes in by it', async () => {
      await lab.sh(`${JOIN} join rep0.0 up0; ip -n n0.0 addr add 192.168.7.9/24 dev vf0.0
        sn_ping n0.0 192.168.7.2 5; ip -n n0.0 addr del 192.168.7.9/24 dev vf0.0`);
      expect((await lab.rule('up0', 1)).hwPackets).toBeGreaterThanOrEqual(5);
    });

    it('misses to the representor, whose own frames reach the VF', async () => {
      const received = await lab.received('rep0.0');
      await lab.sh(
        `ip addr add 10.0.7.7/16 dev rep0.0; sn_ping n0.0 10.0.7.7 3; ip addr del 10.0.7.7/16 dev rep0.0`,
      );
      expect(await lab.received('rep0.0')).toBeGreaterThanOrEqual(received + 3);
    });
  });

  describe('matches', () => {
    it('prefers the lower priority, and masks addresses and ports', async () => {
      await lab.sh(`${JOIN} join rep0.0 rep0.1; tc filter del dev rep0.0 ingress prio 1
        tc filter add dev rep0.0 ingress prio 9 protocol all flower skip_sw action mirred egress redirect dev rep0.1
        tc filter add dev rep0.0 ingress prio 4 protocol ip flower skip_sw dst_ip 10.0.0.0/24 ip_proto icmp action drop
        tc filter add dev rep0.0 ingress prio 3 protocol ip flower skip_sw dst_ip 10.0.0.2 ip_proto icmp type 8 code 0 ip_ttl 64 action mirred egress redirect dev rep0.1
        tc filter add dev rep0.0 ingress prio 2 protocol ip flower skip_sw ip_proto udp dst_port 0x1000/0xf000 action drop`);
      await lab.sh('sn_ping n0.0 10.0.0.2 4');
      expect((await lab.rule('rep0.0', 3)).hwPackets).toBe(4);
      await lab.sh('! ip netns exec n0.0 ping -q -c 2 -i 0.1 -W 1 -t 63 10.0.0.2');
      expect((await lab.rule('rep0.0', 4)).hwPackets).toBe(2);
      await lab.sh(
        'ip netns exec n0.0 bash -c "echo x > /dev/udp/10.0.0.2/4097; echo x > /dev/udp/10.0.0.2/8193"',
      );
      expect((await lab.rule('rep0.0', 2)).hwPackets).toBe(1);
    });

    it('tells tagged frames from untagged ones', async () => {
      await lab.sh(`tc filter add dev rep0.0 ingress prio 1 protocol 802.1Q flower skip_sw vlan_id 7 vlan_ethtype arp src_mac 02:00:00:00:00:77 action drop
        tc filter add dev rep0.0 ingress prio 2 protocol arp flower skip_sw src_mac 02:00:00:00:00:77 action drop
        ip -n n0.0 link add link vf0.0 name v7 address 02:00:00:00:00:77 type vlan id 7; ip -n n0.0 link set v7 up
        ip -n n0.0 addr add 10.7.0.1/24 dev v7; ip netns exec n0.0 ping -c 1 -W 1 10.7.0.2 || true`);
      expect((await lab.rule('rep0.0', 1)).hwPackets).toBeGreaterThan(0);
      expect((await lab.rule('rep0.0', 2)).hwPackets).toBe(0);
      await lab.sh('ip -n n0.0 link del v7');
    });
  });

  describe('actions', () => {
    it('rewrites headers and checksums: NAT between VFs', async () => {
      await lab.sh(`mac0=$(ip netns exec n0.0 cat /sys/class/net/vf0.0/address)
        mac1=$(ip netns exec n0.1 cat /sys/class/net/vf0.1/address)
        ip -n n0.0 neigh replace 10.0.5.5 lladdr 02:00:00:00:05:05 dev vf0.0
        ip -n n0.1 neigh replace 10.0.6.6 lladdr 02:00:00:00:06:06 dev vf0.1
        tc filter add dev rep0.0 ingress prio 1 protocol ip flower skip_sw dst_ip 10.0.5.5 \\
          action pedit ex munge eth dst set $mac1 munge ip dst set 10.0.0.2 munge ip src set 10.0.6.6 munge ip ttl add 0xff pipe \\
          action csum ip4h icmp tcp udp pipe action mirred egress redirect dev rep0.1
        tc filter add dev rep0.1 ingress prio 1 protocol ip flower skip_sw dst_ip 10.0.6.6 \\
          action pedit ex munge eth dst set $mac0 munge ip dst set 10.0.0.1 munge ip src set 10.0.5.5 pipe \\
          action csum ip4h icmp tcp udp pipe action mirred egress redirect dev rep0.0
        sn_ping n0.0 10.0.5.5`);
      await lab.sh(`mkfifo /run/silence; exec 3<>/run/silence; head -c 100000 /dev/urandom > /run/sent
        ip netns exec n0.1 busybox nc -l -p 7001 > /run/got <&3 & server=$!
        sleep 0.3; ip netns exec n0.0 busybox nc 10.0.5.5 7001 < /run/sent; wait $server; cmp /run/sent /run/got`);
    });

    it('pushes and pops VLAN tags', async () => {
      await lab.sh(`tc filter add dev rep0.0 ingress prio 1 protocol all flower skip_sw action vlan push id 9 priority 3 pipe action mirred egress redirect dev rep0.1
        tc filter add dev rep0.1 ingress prio 1 protocol 802.1Q flower skip_sw vlan_id 9 action vlan pop pipe action mirred egress redirect dev rep0.0
        ip -n n0.1 link add link vf0.1 name v9 type vlan id 9; ip -n n0.1 link set v9 up
        ip -n n0.1 addr add 10.8.0.2/24 dev v9; ip -n n0.0 addr add 10.8.0.1/24 dev vf0.0
        sn_ping n0.0 10.8.0.2; ip -n n0.1 link del v9; ip -n n0.0 addr del 10.8.0.1/24 dev vf0.0`);
    });

    it('walks chains, mirrors and traps', async () => {
      await lab.sh(`tc filter add dev rep0.0 ingress prio 1 chain 0 protocol ip flower skip_sw ip_proto icmp action goto chain 5
        tc filter add dev rep0.0 ingress prio 1 chain 5 protocol ip flower skip_sw dst_ip 10.0.0.2 action mirred egress mirror dev rep0.1 pipe action drop
        tc filter add dev rep0.0 ingress prio 2 chain 0 protocol arp flower skip_sw action trap`);
      const received = await lab.received('rep0.0');
      await lab.sh(`ip netns exec n0.0 ping -c 1 -W 1 10.0.0.77 || true
        ip -n n0.0 neigh replace 10.0.0.2 lladdr $(ip netns exec n0.1 cat /sys/class/net/vf0.1/address) dev vf0.0
        tc -s filter show dev rep0.0 ingress > /dev/null
        before=$(ip netns exec n0.1 cat /sys/class/net/vf0.1/statistics/rx_packets)
        ip netns exec n0.0 ping -c 3 -i 0.1 -W 1 10.0.0.2 || true
        after=$(ip netns exec n0.1 cat /sys/class/net/vf0.1/statistics/rx_packets)
        [ $((after - before)) -ge 3 ]; ip -n n0.0 neigh del 10.0.0.2 dev vf0.0`);
      expect((await lab.rule('rep0.0', 2)).hwPackets).toBeGreaterThan(0);
      expect(await lab.received('rep0.0')).toBeGreaterThan(received);
      expect((await lab.rules('rep0.0')).filter(rule => rule.prio === 1).map(rule => rule.hwPackets)).toEqual(
        [3, 3],
      );
      expect(
        await refused(
          'rep0.0',
          'prio 1 chain 5 protocol ip flower skip_sw src_ip 10.0.0.9 action goto chain 2',
        ),
      ).toContain('lower numbered chain');
    });

    it('polices', async () => {
      await lab.sh(`${JOIN} join rep0.0 rep0.1; sn_ping n0.0 10.0.0.2 1; tc filter del dev rep0.0 ingress
        tc filter add dev rep0.0 ingress prio 1 protocol all flower skip_sw action police rate 80kbit burst 4000 conform-exceed drop/pipe action mirred egress redirect dev rep0.1
        ip netns exec n0.0 ping -q -i 0.002 -c 40 -s 1000 -W 1 10.0.0.2 || true`);
      expect(await lab.stat(0, 'drop_police')).toBeGreaterThan(20);
    });
  });

  describe('refusals', () => {
    it('name the key or action that is not supported', async () => {
      expect(
        await refused('rep0.0', 'prio 1 protocol arp flower skip_sw arp_op request action drop'),
      ).toContain('simnic: key arp is not supported');
      await lab.sh('sn_knob 0 keys -ip_ttl; sn_knob 0 actions -drop');
      expect(await refused('rep0.0', 'prio 1 protocol ip flower skip_sw ip_ttl 9 action pass')).toContain(
        'simnic: key ip_ttl is not supported',
      );
      expect(await refused('rep0.0', 'prio 1 protocol ip flower skip_sw action drop')).toContain(
        'simnic: action drop is not supported',
      );
      await add('rep0.0', 'prio 1 protocol ip flower ip_ttl 9 action pass');
      expect(await lab.rule('rep0.0', 1)).toMatchObject({ inHardware: false });
      await lab.sh('sn_knob 0 quirks exact_match_only no_trap');
      expect(
        await refused('rep0.0', 'prio 2 protocol ip flower skip_sw dst_ip 10.0.0.0/8 action pass'),
      ).toContain('ipv4_dst must be matched exactly');
      expect(
        await refused('rep0.0', 'prio 2 protocol ip flower skip_sw dst_ip 10.0.0.1 action trap'),
      ).toContain('action trap');
      expect(
        await refused('rep0.0', 'prio 2 protocol ip flower skip_sw action mirred egress redirect dev rep1.0'),
      ).toContain('rep1.0 is not a port of this NIC');
    });

    it('tell the limits of chains, priorities and actions', async () => {
      await lab.sh('sn_knob 0 chain_max 3; sn_knob 0 prio_max 16; sn_knob 0 actions_max 1');
      const rule = 'protocol ip flower skip_sw action drop';
      expect(await refused('rep0.0', `prio 1 chain 4 ${rule}`)).toContain(
        'chain 4 is beyond the maximum of 3',
      );
      expect(await refused('rep0.0', `prio 17 ${rule}`)).toContain('priority 17 is beyond the maximum of 16');
      expect(
        await refused('rep0.0', 'prio 1 protocol ip flower skip_sw action vlan pop pipe action drop'),
      ).toContain('number of actions 2 is beyond');
      await add('rep0.0', `prio 16 chain 3 ${rule}`);
    });

    it('come from a full table, and end when there is room', async () => {
      await lab.sh('sn_knob 0 table_size 2');
      await add('rep0.0', 'prio 1 protocol ip flower skip_sw dst_ip 10.0.0.1 action drop');
      await add('rep0.0', 'prio 1 protocol ip flower skip_sw dst_ip 10.0.0.2 action drop');
      const full = await refused('rep0.0', 'prio 1 protocol ip flower skip_sw dst_ip 10.0.0.3 action drop');
      expect(full).toMatch(/simnic: table full/);
      expect(await lab.sh('devlink resource show simnic/simnic0')).toContain('occ 2');
      await lab.sh('tc filter del dev rep0.0 ingress');
      await add('rep0.0', 'prio 1 protocol ip flower skip_sw dst_ip 10.0.0.3 action drop');
    });

    it('can be injected, and take their time', async () => {
      await lab.sh('sn_knob 0 inject add 12 1');
      expect(await refused('rep0.0', 'prio 1 protocol ip flower skip_sw action drop')).toContain(
        'injected error',
      );
      await add('rep0.0', 'prio 1 protocol ip flower skip_sw action drop');
      await lab.sh(
        'sn_knob 0 inject del 5 1; tc filter del dev rep0.0 ingress prio 1; [ $(sn_stat 0 rules) = 0 ]',
      );
      await lab.sh(
        'sn_knob 0 delay_us 300000; a=$(date +%s%N); tc filter add dev rep0.0 ingress prio 1 protocol ip flower skip_sw action drop; [ $(($(date +%s%N) - a)) -gt 300000000 ]',
      );
    });

    it('keep the encap mode while rules exist, where the NIC is of that kind', async () => {
      await lab.sh('sn_knob 0 quirks encap_mode_needs_no_flows');
      await add('rep0.0', 'prio 1 protocol ip flower skip_sw action drop');
      const set = 'devlink dev eswitch set simnic/simnic0 encap-mode none';
      expect(await lab.refusal(set)).toContain('when flows are configured');
      await lab.sh(
        `tc filter del dev rep0.0 ingress; ${set}; devlink dev eswitch set simnic/simnic0 encap-mode basic`,
      );
    });
  });

  describe('losses', () => {
    it('an evicted rule stays in tc, and shows that hardware reports no more', async () => {
      await lab.sh(`${JOIN} join rep0.0 rep0.1; sn_ping n0.0 10.0.0.2; sn_knob 0 evict 1`);
      const before = await lab.rule('rep0.0', 1);
      const misses = await lab.stat(0, 'misses');
      await lab.sh('! sn_ping n0.0 10.0.0.2');
      expect(await lab.rule('rep0.0', 1)).toEqual({ ...before, inHardware: true, reported: false });
      expect(await lab.stat(0, 'misses')).toBeGreaterThanOrEqual(misses + 3);
      await lab.sh(
        'tc filter del dev rep0.0 ingress; tc filter add dev rep0.0 ingress prio 1 protocol all flower skip_sw action mirred egress redirect dev rep0.1; sn_ping n0.0 10.0.0.2',
      );
      await lab.sh(
        'sn_knob 0 evict_every_ms 20; sleep 0.2; [ $(sn_stat 0 rules) = 0 ]; sn_knob 0 evict_every_ms 0',
      );
    });

    it('a reset empties the table; rules must be added again', async () => {
      await lab.sh(
        `${JOIN} join rep0.0 rep0.1; sn_ping n0.0 10.0.0.2; sn_knob 0 reset_ms 10
        devlink health set simnic/simnic0 reporter fw auto_recover false; sn_knob 0 reset 1; sleep 0.1`,
      );
      expect(await refused('rep0.0', 'prio 5 protocol ip flower skip_sw action drop')).toContain(
        'being reset',
      );
      await lab.sh(`devlink health recover simnic/simnic0 reporter fw
        devlink health set simnic/simnic0 reporter fw auto_recover true
        sn_up 0 0; sn_up 0 1; [ $(sn_stat 0 rules) = 0 ]; ! sn_ping n0.0 10.0.0.2 1`);
      await lab.sh(`tc filter del dev rep0.0 ingress; tc filter del dev rep0.1 ingress
        ${JOIN} join rep0.0 rep0.1; sn_ping n0.0 10.0.0.2`);
    });
  });

  it('has nothing to complain about', async () => {
    const trace = await lab.sh('rmmod simnic; dmesg | grep -A 30 -E "WARNING: |BUG: |Oops" || true');
    expect(await lab.guest.complaints(), trace).toEqual([]);
  });
});
