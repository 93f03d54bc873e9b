/** What it costs to attach a container: the plugin's handlers, and `docker run` as a user sees it. */
import { withCleanUp } from '../../lib/clean-up.ts';
import { openDockerHost } from '../../lib/docker-host.ts';
import type { Suite } from '../../lib/suite.ts';
import { measureDockerRun } from './docker-run.ts';
import { measureHandlers } from './handlers.ts';

export const attachSuite: Suite = {
  name: 'attach',
  summary: 'plugin handlers with 1,000 endpoints present; docker run to first ping',
  async run(options) {
    const handlers = await measureHandlers(options);
    const started = await withCleanUp(options.progress, async cleanUp => {
      const host = await openDockerHost(cleanUp, options.progress);
      const measured = await measureDockerRun(options, host, cleanUp);
      return { measured, environment: await host.environment() };
    });
    return {
      ratios: started.measured.ratios,
      figures: { ...handlers.figures, ...started.measured.figures },
      environment: { ...handlers.environment, ...started.environment },
    };
  },
};
