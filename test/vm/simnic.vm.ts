/** The virtual SmartNIC itself: bus, SR-IOV, legacy switch, devlink, wire and PCI front end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootWithSimnic, type Lab } from './simnic-lab.ts';

const D0 = '/sys/bus/simnic/devices/simnic0';

describe('simnic', () => {
  const scope = new Scope('simnic');
  let lab: Lab;

  beforeAll(async () => {
    lab = await bootWithSimnic(scope, { nics: [{ kind: 'igb' }] }, 'pci=1');
    await lab.sh('sn_host 0 3; sn_host 1 2; sn_knob 0 wire simnic1; sleep 0.3');
  });
  afterAll(() => scope.dispose());

  describe('own bus', () => {
    it('has the sysfs contract of a PCI function', async () => {
      expect(await lab.sh(`cat ${D0}/sriov_totalvfs ${D0}/sriov_numvfs`)).toBe('3\n3');
      expect(await lab.sh(`basename $(readlink ${D0}/virtfn2)`)).toBe('simnic0vf2');
      expect(await lab.sh(`basename $(readlink ${D0}vf2/physfn)`)).toBe('simnic0');
      expect(await lab.sh(`basename $(readlink ${D0}/driver)`)).toBe('simnic');
      expect(await lab.refusal(`env echo 4 > ${D0}/sriov_numvfs`)).toContain('out of range');
      expect(await lab.refusal(`env echo 2 > ${D0}/sriov_numvfs`)).toContain('busy');
      expect(await lab.refusal('env echo 0 1 > /sys/bus/simnic/new_device')).toContain('File exists');
    });

    it('binds a VF to another driver by override, and back', async () => {
      const vf = `${D0}vf2`;
      await lab.sh(`echo simnic0vf2 > ${vf}/driver/unbind; echo simnic_stub > ${vf}/driver_override
        echo simnic0vf2 > /sys/bus/simnic/drivers_probe`);
      expect(await lab.sh(`basename $(readlink ${vf}/driver)`)).toBe('simnic_stub');
      await lab.sh(`echo simnic0vf2 > ${vf}/driver/unbind; echo > ${vf}/driver_override
        echo simnic0vf2 > /sys/bus/simnic/drivers_probe
        ip link set $(sn_func 0 2) name vf0.2; ip link set vf0.2 netns n0.2
        ip -n n0.2 addr add 10.0.0.3/16 dev vf0.2; ip -n n0.2 link set vf0.2 up`);
      expect(await lab.sh(`basename $(readlink ${vf}/driver)`)).toBe('simnic_vf');
      await lab.sh(`echo 1 > ${vf}/reset`);
    });
  });

  describe('legacy switch', () => {
    it('forwards between VFs, and over the wire between NICs', async () => {
      await lab.sh(
        'sn_ping n0.0 10.0.0.2; sn_ping n0.0 10.0.1.2; sn_ping n0.0 fd00::1:1; sn_ping n0.2 10.0.0.1',
      );
    });

    it('isolates VLANs that the PF gives to VFs', async () => {
      await lab.sh('ip link set up0 vf 0 vlan 5; ip link set up1 vf 0 vlan 5');
      await lab.sh('sn_ping n0.0 10.0.1.1; ! sn_ping n0.0 10.0.0.2; ! sn_ping n0.0 10.0.1.2');
      await lab.sh('ip link set up0 vf 0 vlan 0; ip link set up1 vf 0 vlan 0; sn_ping n0.0 10.0.1.2');
    });

    it('drops forged source addresses where the PF asks for it', async () => {
      await lab.sh('ip link set up0 vf 1 spoofchk on; sn_ping n0.1 10.0.0.1');
      expect(await lab.refusal('ip -n n0.1 link set vf0.1 address 02:00:00:00:00:99')).toContain(
        'not permitted',
      );
      await lab.sh('ip link set up0 vf 1 trust on; ip -n n0.1 link set vf0.1 address 02:00:00:00:00:99');
      await lab.sh('! sn_ping n0.1 10.0.0.1');
      expect(await lab.stat(0, 'drop_spoof')).toBeGreaterThan(0);
      await lab.sh('ip link set up0 vf 1 mac 02:00:00:00:00:99; sn_ping n0.1 10.0.0.1');
      await lab.sh('ip link set up0 vf 1 spoofchk off; ip link set up0 vf 1 trust off');
    });

    it('takes a VF off the network', async () => {
      await lab.sh('ip link set up0 vf 0 state disable; ip -n n0.0 link show vf0.0 | grep -q NO-CARRIER');
      await lab.sh(
        '! sn_ping n0.1 10.0.0.1 1; ip link set up0 vf 0 state auto; sn_up 0 0; sn_ping n0.1 10.0.0.1',
      );
      await lab.sh(
        'ip link set up1 down; ip -n n0.0 link show vf0.0 | grep -q NO-CARRIER; ip link set up1 up',
      );
      await lab.sh('sn_ping n0.0 10.0.1.1');
    });
  });

  describe('devlink', () => {
    const dev = 'simnic/simnic0';

    it('tells what it is, and activates flashed firmware', async () => {
      expect(await lab.sh(`devlink dev info ${dev}`)).toMatch(
        /driver simnic[\s\S]*SN-simnic0[\s\S]*22\.41\.1000/,
      );
      await lab.sh(`mkdir -p /lib/firmware; echo 22.43.2566 > /lib/firmware/simnic.bin
        devlink dev flash ${dev} file simnic.bin`);
      expect(await lab.sh(`devlink dev info ${dev}`)).toMatch(
        /running:\s+fw 22\.41\.1000\s+stored:\s+fw 22\.43\.2566/,
      );
      await lab.sh(`devlink dev reload ${dev} action fw_activate`);
      expect(await lab.sh(`devlink dev info ${dev}`)).toMatch(/running:\s+fw 22\.43\.2566/);
    });

    it('has parameters of each configuration mode', async () => {
      await lab.sh(`devlink dev param set ${dev} name flow_steering_mode value dmfs cmode runtime`);
      expect(await lab.sh(`devlink dev param show ${dev} name flow_steering_mode`)).toContain('value dmfs');
      const bad = `devlink dev param set ${dev} name flow_steering_mode value none cmode runtime`;
      expect(await lab.refusal(bad)).toContain('supported values');
      expect(
        await lab.refusal(`devlink dev param set ${dev} name max_macs value 0 cmode driverinit`),
      ).toContain('1 to 128');
      await lab.sh(`devlink dev param set ${dev} name max_macs value 64 cmode driverinit`);
      expect(await lab.refusal(`devlink dev reload ${dev}`)).toContain('VFs present');
    });

    it('resizes the table with a reload', async () => {
      await lab.sh(
        'echo "9 0" > /sys/bus/simnic/new_device; devlink resource set simnic/simnic9 path flows size 100',
      );
      await lab.sh('devlink dev reload simnic/simnic9');
      expect(await lab.sh('sn_knob 9 table_size; sn_port 9 p0 > /dev/null; sn_gone 9')).toBe('100');
    });

    it('changes the eswitch mode, unless the NIC is of a kind that cannot', async () => {
      const set = `devlink dev eswitch set ${dev} mode switchdev`;
      await lab.sh('sn_knob 0 quirks switchdev_needs_no_vfs');
      expect(await lab.refusal(set)).toContain('while VFs exist');
      await lab.sh('sn_knob 0 quirks no_switchdev');
      expect(await lab.refusal(set)).toContain('no switchdev mode');
      await lab.sh(`echo "8 1" > /sys/bus/simnic/new_device; sn_knob 8 quirks switchdev_needs_vfs
        echo 1 > $SN_DEVICES/simnic8/sriov_numvfs; devlink dev eswitch set simnic/simnic8 mode switchdev
        echo 0 > $SN_DEVICES/simnic8/sriov_numvfs; devlink dev eswitch show simnic/simnic8 | grep -q legacy`);
      expect(await lab.refusal('devlink dev eswitch set simnic/simnic8 mode switchdev')).toContain(
        'enable VFs',
      );
      await lab.sh('sn_gone 8; sn_knob 0 quirks none; sn_knob 0 inject mode 5 1');
      expect(await lab.refusal(set)).toContain('injected error');
      await lab.sh(`${set}`);
      expect(await lab.sh('cat /sys/class/net/up0/phys_switch_id')).toBe(
        await lab.sh('cat /sys/class/net/$(sn_port 0 pf0vf1)/phys_switch_id'),
      );
      await lab.sh(
        `devlink dev eswitch set ${dev} mode legacy; [ -z "$(sn_port 0 pf0vf1)" ]; sn_up 0 0; sn_up 0 1; sn_ping n0.0 10.0.0.2`,
      );
      expect(await lab.refusal('cat /sys/class/net/up0/phys_switch_id')).toContain('not supported');
    });

    it('has port functions with address and state', async () => {
      await lab.sh(`devlink dev eswitch set ${dev} mode switchdev`);
      await lab.sh(`devlink port function set ${dev}/1 hw_addr 02:00:00:00:00:11`);
      expect(await lab.sh('ip -n n0.0 link show vf0.0')).toContain('02:00:00:00:00:11');
      expect(await lab.sh(`devlink port show ${dev}/1`)).toMatch(/pcivf.*vfnum 0[\s\S]*opstate attached/);
      await lab.sh(`devlink port function set ${dev}/1 state inactive`);
      expect(await lab.sh('ip -n n0.0 link show vf0.0')).toContain('NO-CARRIER');
      await lab.sh(`devlink port function set ${dev}/1 state active`);
    });

    it('limits rates of leaves and nodes, and keeps the mode while nodes exist', async () => {
      await lab.sh(`devlink port function rate add ${dev}/group
        devlink port function rate set ${dev}/group tx_max 80kbit
        devlink port function rate set ${dev}/1 parent group
        devlink port function rate set ${dev}/2 tx_share 10mbit tx_max 100mbit`);
      expect(await lab.refusal(`devlink dev eswitch set ${dev} mode legacy`)).toContain('node');
      await lab.sh(`ip link set $(sn_port 0 pf0vf0) up; sn_up 0 0
        ip -n n0.0 neigh replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev vf0.0`);
      await lab.sh('! ip netns exec n0.0 ping -q -i 0.002 -c 50 -s 1400 -W 1 10.0.0.9');
      expect(await lab.stat(0, 'drop_rate')).toBeGreaterThan(0);
      await lab.sh(
        `devlink port function rate set ${dev}/1 noparent; devlink port function rate del ${dev}/group`,
      );
      await lab.sh(`devlink dev eswitch set ${dev} mode legacy; sn_up 0 0; sn_up 0 1; sn_ping n0.0 10.0.0.2`);
    });

    it('recovers from a reset, by itself or when told to', async () => {
      await lab.sh('sn_knob 0 reset_ms 100; sn_knob 0 reset 1; sleep 0.4; sn_up 0 0; sn_ping n0.0 10.0.0.2');
      expect(await lab.sh(`devlink health show ${dev} reporter fw`)).toContain(
        'state healthy error 1 recover 1',
      );
      await lab.sh(`devlink health set ${dev} reporter fw auto_recover false; sn_knob 0 reset 1; sleep 0.3`);
      await lab.sh('ip -n n0.0 link show vf0.0 | grep -q NO-CARRIER');
      expect(await lab.sh(`devlink health show ${dev} reporter fw`)).toContain('state error');
      await lab.sh(`devlink health recover ${dev} reporter fw; sn_up 0 0; sn_ping n0.0 10.0.0.2`);
    });
  });

  describe('wire', () => {
    it('may be any netdev, whose super-packets it cuts', async () => {
      await lab.sh(`ip netns add far; ip link add wire0 type veth peer name far0 netns far
        ip link set wire0 up; ip -n far link set far0 up; ip -n far addr add 10.0.9.1/16 dev far0
        sn_knob 0 wire wire0; sleep 0.3; sn_up 0 0; sn_ping n0.0 10.0.9.1`);
      expect(await lab.sh('sn_knob 0 wire; sn_knob 1 wire')).toBe('wire0\nnone');
      await lab.sh(`head -c 2000000 /dev/urandom > /run/payload
        mkfifo /run/silence; exec 3<>/run/silence
        ip netns exec n0.0 busybox nc -l -p 7000 > /run/got <&3 & server=$!
        sleep 0.3; ip netns exec far busybox nc 10.0.0.1 7000 < /run/payload; wait $server
        cmp /run/payload /run/got`);
      expect(await lab.stat(0, 'drop_mtu')).toBe(0);
      await lab.sh('ip link del wire0; [ "$(sn_knob 0 wire)" = none ]; ip netns del far');
    });
  });

  describe('PCI front end', () => {
    const find = 'pf=$(echo /sys/bus/pci/drivers/simnic_pci/0000:*:00.0);';

    it('has real SR-IOV over igb functions', async () => {
      expect(await lab.sh(`${find} basename $pf`)).toMatch(/^0000:/);
      expect(await lab.sh(`${find} cat $pf/net/*/address`)).toBe(lab.guest.macs[0]);
      await lab.sh(`${find} echo 2 > $pf/sriov_numvfs; devlink dev eswitch set pci/$(basename $pf) mode switchdev
        for v in 0 1; do
          ip netns add p$v; vf=$(ls $pf/virtfn$v/net); ip link set $vf name pvf$v; ip link set pvf$v netns p$v
          ip -n p$v addr add 10.1.0.$((v + 1))/24 dev pvf$v; ip -n p$v link set pvf$v up
        done
        a= b=
        for l in $pf/net/*; do
          case $(cat $l/phys_port_name) in pf0vf0) a=\${l##*/} ;; pf0vf1) b=\${l##*/} ;; esac
        done
        for pair in "$a $b" "$b $a"; do
          set -- $pair
          ip link set $1 up; tc qdisc add dev $1 clsact
          tc filter add dev $1 ingress prio 1 flower skip_sw action mirred egress redirect dev $2
        done
        sn_ping p0 10.1.0.2`);
      expect(await lab.sh(`ip -d -n p0 link show pvf0`)).toMatch(/parentbus pci/);
    });

    it('gives a VF to vfio', async () => {
      await lab.sh(`${find} modprobe vfio-pci; vf=$(basename $(readlink $pf/virtfn1))
        echo $vf > /sys/bus/pci/devices/$vf/driver/unbind
        echo vfio-pci > /sys/bus/pci/devices/$vf/driver_override; echo $vf > /sys/bus/pci/drivers_probe
        [ $(basename $(readlink /sys/bus/pci/devices/$vf/driver)) = vfio-pci ]`);
    });
  });

  it('unloads cleanly, with everything in use', async () => {
    await lab.sh('rmmod simnic; [ ! -e /sys/bus/simnic ]; [ -z "$(devlink dev)" ]');
    const trace = await lab.sh('dmesg | grep -A 30 -E "WARNING: |BUG: |Oops" || true');
    expect(await lab.guest.complaints(), trace).toEqual([]);
  });
});
