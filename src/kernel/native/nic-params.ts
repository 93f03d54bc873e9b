/** devlink parameters: one record per value from C, one object per parameter for the rest. */
import type { DevlinkParam } from '../nic-port.ts';
import type { ParamRecord } from './nic-dumps.ts';
import { PARAM_CMODES, PARAM_TYPE } from './nic-records.ts';

const TYPES: ReadonlyMap<number, DevlinkParam['type']> = new Map(
  Object.entries(PARAM_TYPE).map(([name, type]) => [type, name as DevlinkParam['type']]),
);

function valueText(record: ParamRecord): string {
  if (record.type === PARAM_TYPE.string) return record.text;
  if (record.type === PARAM_TYPE.bool) return record.number === 1n ? 'true' : 'false';
  return record.number.toString();
}

/** Of one NIC, in the kernel's order. */
export function paramsOf(records: readonly ParamRecord[]): DevlinkParam[] {
  const names = [...new Set(records.map(each => each.name))];
  return names.flatMap(name => {
    const own = records.filter(each => each.name === name);
    const type = TYPES.get(own[0]?.type ?? 0);
    if (type === undefined) return [];
    const values = own.flatMap(each => {
      const cmode = PARAM_CMODES[each.cmode];
      return cmode === undefined ? [] : [{ cmode, value: valueText(each) }];
    });
    return [{ name, type, values }];
  });
}
