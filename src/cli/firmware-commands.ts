/** `eswitchctl firmware`. */
import type { Command } from 'commander';
import type { FirmwareList, FirmwarePlanBody, FirmwareResultBody } from '../wire/api/firmware.ts';
import { EXIT, withQuery } from './client.ts';
import type { Session } from './session.ts';

interface PlanOptions {
  readonly file?: string;
  readonly component?: string;
  readonly vfs?: string;
  readonly exitCode?: true;
}

interface ApplyOptions extends Omit<PlanOptions, 'exitCode'> {
  readonly dryRun?: true;
  readonly force?: true;
}

/** Writing a large image to flash takes minutes. */
const APPLY_TIMEOUT_MS = 900_000;

const NIC = 'devlink handle, PCI address, a unique end of one, or the uplink';
const FILE = 'firmware image below /lib/firmware to flash';
const VFS = 'VFs wanted, for the commands of vendor tools';

export function addFirmware(program: Command, session: Session): void {
  const firmware = program
    .command('firmware')
    .description("NICs' firmware and settings beside what their profiles want");
  firmware
    .command('status', { isDefault: true })
    .description('versions and parameters, what differs, what is pending')
    .action(async () => {
      await session.show<FirmwareList>('GET', '/v1/firmware', async (body, style) => {
        const { firmwareStatusScreen } = await import('./screens/firmware.ts');
        return firmwareStatusScreen(body, style);
      });
    });
  addPlan(firmware, session);
  addApply(firmware, session);
}

function addPlan(firmware: Command, session: Session): void {
  firmware
    .command('plan')
    .description('what would bring a NIC to what its profile wants, without doing it')
    .argument('<nic>', NIC)
    .option('--file <name>', FILE)
    .option('--component <name>', 'only this component of the image')
    .option('--vfs <count>', VFS)
    .option('--exit-code', `exit with ${EXIT.differences} when there is something to do`)
    .action(async (nic: string, { file, component, vfs, exitCode }: PlanOptions) => {
      const path = withQuery(`/v1/firmware/${encodeURIComponent(nic)}/plan`, { file, component, vfs });
      const plan = await session.show<FirmwarePlanBody>('GET', path, async (body, style) => {
        const { firmwarePlanScreen } = await import('./screens/firmware.ts');
        return firmwarePlanScreen(body, style);
      });
      if (exitCode && plan.steps.length > 0) session.exitCode = EXIT.differences;
    });
}

function addApply(firmware: Command, session: Session): void {
  firmware
    .command('apply')
    .description('set parameters, flash, activate; refused under running containers')
    .argument('<nic>', NIC)
    .option('--file <name>', FILE)
    .option('--component <name>', 'only this component of the image')
    .option('--vfs <count>', VFS)
    .option('--dry-run', 'only say what would be done')
    .option('--force', 'also when it interrupts functions in use')
    .action(async (nic: string, { vfs, ...options }: ApplyOptions) => {
      const result = await session.ask<FirmwareResultBody>(
        {
          method: 'POST',
          path: `/v1/firmware/${encodeURIComponent(nic)}/apply`,
          body: vfs === undefined ? options : { ...options, vfs: Number(vfs) },
          timeoutMs: APPLY_TIMEOUT_MS,
        },
        async (body, style) => {
          const { firmwareResultScreen } = await import('./screens/firmware.ts');
          return firmwareResultScreen(body, style);
        },
      );
      if (result.steps.some(step => step.result === 'failed')) session.exitCode = EXIT.failed;
    });
}
