/** The flow port on the guest's kernel: the contract, and every field and action there and back. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createNativeFlows } from '../../../src/kernel/native/flower.ts';
import { NativeLibrary } from '../../../src/kernel/native/library.ts';
import { flowPortContract } from '../../contract/flow-port.contract.ts';

const library = new NativeLibrary(join(import.meta.dirname, '../../../native/build/libeswitch.so'));
const run = (command: string): void => {
  const [program = '', ...args] = command.split(' ');
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
};

flowPortContract('kernel', async () => {
  run('ip link add ewa0 type dummy');
  run('ip link add ewb0 type dummy');
  let a = true;
  return {
    flows: createNativeFlows({ library, instance: 'contract', dir: '' }),
    ...{ a: 'ewa0', b: 'ewb0' },
    addForeign: async ({ handle, match: [mac], actions: [to] }) => {
      if (mac === undefined || to?.kind !== 'redirect') throw new Error('not the rule that this can make');
      const bytes = mac.value.match(/../g)?.join(':');
      // Fails where a put has made it already.
      spawnSync('tc', ['qdisc', 'add', 'dev', 'ewa0', 'clsact']);
      run(
        `tc filter add dev ewa0 ingress chain 0 prio 1 protocol all handle ${handle} flower skip_hw ` +
          `dst_mac ${bytes} action mirred egress redirect dev ${to.link}`,
      );
    },
    removeLink: async name => {
      run(`ip link delete ${name}`);
      a = false;
    },
    cleanup: async () => {
      if (a) run('ip link delete ewa0');
      run('ip link delete ewb0');
    },
  };
});
