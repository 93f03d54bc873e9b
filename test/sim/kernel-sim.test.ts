import { kernelPortContract } from '../contract/kernel-port.contract.ts';
import { simHarness } from './sim-harness.ts';

kernelPortContract('model', simHarness);
