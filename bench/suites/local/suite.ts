/** Container to container on one host: ours beside the others, and with a large table beside a small one. */
import type { Suite } from '../../lib/suite.ts';
import { requireTool } from '../../lib/traffic.ts';
import { measurePaths } from './paths.ts';
import { measureTableSize } from './table-size.ts';

export const localSuite: Suite = {
  name: 'local',
  summary: "container to container on one host, beside Docker's bridge and a veth pair",
  async run(options) {
    requireTool();
    const paths = await measurePaths(options);
    const table = await measureTableSize(options);
    return {
      ratios: { ...paths.ratios, ...table.ratios },
      figures: { ...paths.figures, ...table.figures },
      environment: { ...paths.environment, ...table.environment },
    };
  },
};
