/** The real kernel passes the contract that the model passes. */
import { kernelPortContract } from '../contract/kernel-port.contract.ts';
import { kernelLab } from './kernel-lab.ts';
import { inPrivateNamespaces } from './private.ts';

inPrivateNamespaces(import.meta.url, () => {
  kernelPortContract('native', kernelLab);
  kernelPortContract('native, clsact', () => kernelLab({ hookMode: 'clsact' }));
});
