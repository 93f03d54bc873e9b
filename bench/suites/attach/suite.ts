/** What it costs to attach a container: the plugin's handlers, and `docker run` as a user sees it. */
import { Scope } from '../../../test/lab/scope.ts';
import { DockerHost } from '../../lib/docker-host.ts';
import type { Suite } from '../../lib/suite.ts';
import { measureDockerRun } from './docker-run.ts';
import { measureHandlers } from './handlers.ts';

export const attachSuite: Suite = {
  name: 'attach',
  summary: 'plugin handlers with 1,000 endpoints present; docker run to first ping',
  async run(options) {
    const handlers = await measureHandlers(options);
    await using scope = new Scope('bench-run');
    const host = await DockerHost.open(scope, options.progress);
    const started = await measureDockerRun(options, host, scope);
    return {
      ratios: started.ratios,
      figures: { ...handlers.figures, ...started.figures },
      environment: { ...handlers.environment, ...(await host.environment()) },
    };
  },
};
