import { describe, it } from 'vitest';
import { VF_PORT_LAWS } from '../contract/vf-port.contract.ts';
import { simVfLab } from './vf-lab.ts';

describe('KernelPort contract, functions of a NIC: model', () => {
  it.each(VF_PORT_LAWS)('$name', ({ run }) => run(simVfLab()));
});
