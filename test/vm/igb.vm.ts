/** Legacy SR-IOV on an emulated Intel 82576: what the kernel itself does, before we ask it for anything. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest } from './guest.ts';

interface Vf {
  readonly vf: number;
  readonly address: string;
  readonly vlan_list?: readonly { readonly vlan: number }[];
  readonly spoofchk: boolean;
  readonly trust: boolean;
  readonly link_state: string;
}

const PF = '/sys/class/net/eth0/device';

describe('legacy SR-IOV of an igb', () => {
  const scope = new Scope('vmigb');
  let guest: Guest;

  beforeAll(async () => {
    guest = await bootGuest(scope, { nics: [{ kind: 'igb' }] });
    await guest.must('ip link set eth0 up');
  });
  afterAll(() => scope.dispose());

  async function vf(index: number): Promise<Vf | undefined> {
    const [link] = JSON.parse(await guest.must('ip -j link show eth0')) as [{ vfinfo_list?: readonly Vf[] }];
    return link.vfinfo_list?.find(found => found.vf === index);
  }

  it('offers seven VFs and starts with none', async () => {
    expect(await guest.must(`cat ${PF}/sriov_totalvfs ${PF}/sriov_numvfs`)).toBe('7\n0');
    expect(await vf(0)).toBeUndefined();
  });

  it('makes VFs with a function, a link and an IOMMU group each', async () => {
    await guest.must(`echo 2 >${PF}/sriov_numvfs`);
    const functions = await guest.must(`for n in 0 1; do basename $(readlink ${PF}/virtfn$n); done`);
    expect(functions).toBe('0000:01:10.0\n0000:01:10.2');
    expect(await guest.must(`cat ${PF}/virtfn0/vendor ${PF}/virtfn0/device`)).toBe('0x8086\n0x10ca');
    expect(await guest.must(`ls ${PF}/virtfn0/net ${PF}/virtfn1/net | grep -c ^eth`)).toBe('2');
    const groups = await guest.must(`readlink ${PF}/virtfn0/iommu_group ${PF}/virtfn1/iommu_group`);
    expect(new Set(groups.split('\n')).size).toBe(2);
  });

  it('takes MAC, VLAN, spoof check, trust and link state of a VF', async () => {
    await guest.must(`
ip link set eth0 vf 1 mac 02:00:5e:00:00:01
ip link set eth0 vf 1 vlan 100
ip link set eth0 vf 1 spoofchk off
ip link set eth0 vf 1 trust on`);
    expect(await vf(1)).toMatchObject({
      address: '02:00:5e:00:00:01',
      vlan_list: [{ vlan: 100 }],
      spoofchk: false,
      trust: true,
    });
    expect(await vf(0)).toMatchObject({ spoofchk: true, trust: false });
  });

  it('has no link state to set, no switchdev mode and no representors', async () => {
    const state = await guest.run('ip link set eth0 vf 1 state disable');
    expect({ code: state.code, text: state.stderr }).toMatchObject({
      text: expect.stringMatching(/not supported/i),
    });
    expect((await guest.run('devlink dev eswitch show pci/0000:01:00.0')).code).not.toBe(0);
    expect((await guest.run('cat /sys/class/net/eth0/phys_switch_id')).code).not.toBe(0);
  });

  it('gives a VF to vfio-pci and back', async () => {
    const [device = ''] = (await guest.must(`basename $(readlink ${PF}/virtfn0)`)).split('\n');
    const driver = `basename $(readlink /sys/bus/pci/devices/${device}/driver)`;
    const move = (to: string): string => `
echo ${device} >/sys/bus/pci/devices/${device}/driver/unbind
echo ${to} >/sys/bus/pci/devices/${device}/driver_override
echo ${device} >/sys/bus/pci/drivers_probe
${driver}`;
    expect(await guest.must(driver)).toBe('igbvf');
    expect(await guest.must(`modprobe vfio-pci${move('vfio-pci')}`)).toBe('vfio-pci');
    expect(
      await guest.must(`ls /dev/vfio | grep -c '^[0-9]'; ls /sys/bus/pci/devices/${device}/net 2>&1 || true`),
    ).toMatch(/^1\n.*No such file/);
    // An empty override is a newline: the driver is chosen by the device's id again.
    expect(await guest.must(move(''))).toBe('igbvf');
    expect(await guest.must(`ls ${PF}/virtfn0/net`)).toMatch(/^eth\d+$/);
  });

  it('takes the VFs away again', async () => {
    await guest.must(`echo 0 >${PF}/sriov_numvfs`);
    expect(await guest.must('ls /sys/class/net')).toBe('eth0\nlo');
    expect(await guest.complaints()).toEqual([]);
  });
});
