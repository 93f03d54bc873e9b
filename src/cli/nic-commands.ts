/** `eswitchctl nic` and `eswitchctl port`. */
import { Argument, type Command } from 'commander';
import type { EswitchChangeBody, NicBody, NicList, PortList } from '../wire/api/nic.ts';
import type { Session } from './session.ts';

interface ModeOptions {
  readonly vfs?: string;
  readonly encap?: string;
  readonly dryRun?: true;
  readonly force?: true;
}

/** A NIC with many VFs takes minutes to make them. */
const CHANGE_TIMEOUT_MS = 900_000;

const NIC = 'devlink handle, PCI address, a unique end of one, or the uplink';

export function addNic(program: Command, session: Session): void {
  const nic = program.command('nic').description('NICs: list them, inspect one, change its eswitch');
  nic
    .command('ls', { isDefault: true })
    .alias('list')
    .description('one line per NIC')
    .action(async () => {
      await session.show<NicList>('GET', '/v1/nics', async (body, style) => {
        const { nicList } = await import('./screens/nic.ts');
        return nicList(body.nics, style);
      });
    });
  nic
    .command('inspect')
    .description('everything about one NIC and its functions')
    .argument('<nic>', NIC)
    .action(async (name: string) => {
      await session.show<NicBody>('GET', `/v1/nics/${encodeURIComponent(name)}`, async (body, style) => {
        const { nicScreen } = await import('./screens/nic.ts');
        return nicScreen(body, style);
      });
    });
  addMode(nic, session);
}

function addMode(nic: Command, session: Session): void {
  nic
    .command('mode')
    .description('bring an eswitch into a mode; refused under running containers')
    .argument('<nic>', NIC)
    .addArgument(new Argument('<mode>', 'the mode wanted').choices(['switchdev', 'legacy']))
    .option('--vfs <count>', 'VFs afterwards, instead of as many as there are')
    .option('--encap <on|off>', 'encapsulation in the NIC')
    .option('--dry-run', 'only say what would be done, and why')
    .option('--force', 'also under running containers: they lose their traffic')
    .action(async (name: string, mode: string, { vfs, encap, ...options }: ModeOptions) => {
      const body = {
        mode,
        ...(vfs === undefined ? {} : { vfs: Number(vfs) }),
        ...(encap === undefined ? {} : { encap: encap === 'on' }),
        ...options,
      };
      await session.ask<EswitchChangeBody>(
        {
          method: 'POST',
          path: `/v1/nics/${encodeURIComponent(name)}/eswitch`,
          body,
          timeoutMs: CHANGE_TIMEOUT_MS,
        },
        async (change, style) => {
          const { eswitchChangeScreen } = await import('./screens/nic.ts');
          return eswitchChangeScreen(change, style);
        },
      );
    });
}

export function addPort(program: Command, session: Session): void {
  const port = program.command('port').description('functions of NICs and ports in software');
  port
    .command('ls', { isDefault: true })
    .alias('list')
    .description('one line per port: free, or whose it is')
    .action(async () => {
      await session.show<PortList>('GET', '/v1/ports', async (body, style) => {
        const { portList } = await import('./screens/nic.ts');
        return portList(body.ports, style);
      });
    });
}
