/** Every kind of eswitch, best first. */
import type { Datapath } from '../model/network.ts';
import type { EswitchBackend } from './backend.ts';
import { legacy } from './legacy.ts';
import { software } from './software.ts';
import { switchdev } from './switchdev.ts';

export const BACKENDS: readonly EswitchBackend[] = [switchdev, legacy, software];

/** The kind behind `-o datapath=<datapath>`. */
export function backendOf(datapath: Exclude<Datapath, 'auto'>): EswitchBackend {
  return BACKENDS.find(backend => backend.datapath === datapath) ?? software;
}
