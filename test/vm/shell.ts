/**
 * A guest by hand:
 *
 *   node test/vm/shell.ts                                  a shell in it; `exit` ends the guest
 *   node test/vm/shell.ts --igb 1 -- ip link               runs one command; exit code and output are its own
 *   node test/vm/shell.ts --series 6.1 --disk 256 < script.sh
 *
 * The guest sees this machine's files read-only under the same paths; what it writes is gone at its end.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Scope } from '../lab/scope.ts';
import { bootGuest, type GuestOptions, type Nic } from './guest.ts';
import { SERIES } from './images.ts';
import { buildModule } from './module.ts';

const { values, positionals } = parseArgs({
  options: {
    series: { type: 'string', default: '6.12' },
    igb: { type: 'string', default: '0' },
    virtio: { type: 'string', default: '0' },
    memory: { type: 'string', default: '1536' },
    cpus: { type: 'string', default: '1' },
    disk: { type: 'string' },
    args: { type: 'string' },
    load: { type: 'string' },
    module: { type: 'string', multiple: true, default: [] },
    timeout: { type: 'string', default: '600' },
    help: { type: 'boolean', short: 'h', default: false },
  },
  allowPositionals: true,
});
const USAGE = `usage: node test/vm/shell.ts [options] [-- command]
  --series 6.1|6.12   kernel (6.12)
  --igb N             N igb NICs with SR-IOV
  --virtio N          N virtio NICs, after those
  --memory MIB        (1536)
  --cpus N            (1)
  --disk MIB          an ext4 disk on /disk
  --args "WORDS"      more for the kernel's command line
  --load a,b          modules loaded at boot instead of the NICs' drivers ("" = none)
  --module DIR/NAME   builds the module NAME in DIR and says its path in $MODULE (a list when repeated)
  --timeout SECONDS   limit of a command (600)`;

const series = SERIES.find(known => known === values.series);
if (values.help || series === undefined) {
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

const many = (kind: Nic['kind'], count: string): readonly Nic[] =>
  Array.from({ length: Number(count) }, () => ({ kind }));
const options: GuestOptions = {
  series,
  memoryMib: Number(values.memory),
  cpus: Number(values.cpus),
  nics: [...many('igb', values.igb), ...many('virtio', values.virtio)],
  ...(values.disk === undefined ? {} : { diskMib: Number(values.disk) }),
  ...(values.args === undefined ? {} : { kernelArgs: values.args }),
  ...(values.load === undefined ? {} : { modules: values.load.split(',').filter(Boolean) }),
};
const modules: string[] = [];
for (const path of values.module) {
  const cut = path.lastIndexOf('/');
  modules.push(await buildModule(path.slice(0, cut), path.slice(cut + 1)));
}

await using scope = new Scope('vmshell');
const shell = positionals.length === 0 && process.stdin.isTTY === true;
const guest = await bootGuest(scope, options, { shell });
if (shell) {
  await guest.ended();
} else {
  const command = positionals.length === 0 ? readFileSync(0, 'utf8') : positionals.join(' ');
  const set = `cd '${process.cwd()}'; export MODULE='${modules.join(' ')}' PATH="${process.execPath.replace(/\/node$/, '')}:$PATH"\n`;
  const { code, stdout, stderr } = await guest.run(set + command, Number(values.timeout) * 1000);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
}
