/** The REST API of the daemon, over a unix socket that only root can open. */
import fastifySwagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { EswError } from '../lib/errors.ts';
import type { FirmwareControl } from '../model/firmware.ts';
import type { NicControl } from '../model/nic-control.ts';
import { type Picture, takePicture } from '../observe/picture.ts';
import type { Sources } from '../observe/sources.ts';
import type { ApiApp, RouteContext } from './app.ts';
import { installErrors } from './errors.ts';
import { endpointRoutes } from './routes/endpoints.ts';
import { explainRoutes } from './routes/explain.ts';
import { firmwareRoutes } from './routes/firmware.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { networkRoutes } from './routes/networks.ts';
import { nicRoutes } from './routes/nics.ts';
import { ruleRoutes } from './routes/rules.ts';
import { statusRoutes } from './routes/status.ts';

export interface ApiDeps {
  readonly sources: Sources;
  /** None: this host has no NICs to look after. */
  readonly firmware?: FirmwareControl;
  readonly nics?: NicControl;
  /** A pino logger; none: silent. */
  readonly logger?: FastifyBaseLogger;
}

/** Paths served, for "did you mean". */
const PATHS = [
  '/v1/status',
  '/v1/networks',
  '/v1/endpoints',
  '/v1/rules',
  '/v1/plan',
  '/v1/explain',
  '/v1/reconcile',
  '/v1/firmware',
  '/v1/nics',
  '/v1/ports',
  '/metrics',
  '/healthz',
  '/openapi.json',
] as const;

const noNic = (nic: string) =>
  Promise.reject(new EswError('ESW_ERR_NIC_UNKNOWN', `no NIC ${nic}; this host has none`));
const NO_FIRMWARE: FirmwareControl = { status: () => Promise.resolve([]), plan: noNic, apply: noNic };
const NO_NICS: NicControl = {
  inventory: () => Promise.resolve({ nics: [] }),
  uses: () => new Map(),
  facts: () => ({ profile: '', offloadProblem: null }),
  change: noNic,
};

/**
 * One look at the kernel at a time. Requests that come while one runs share the next, never the
 * running one: what was committed before a request must be in its answer.
 */
function sharedPicture(sources: Sources): () => Promise<Picture> {
  let running: Promise<unknown> | null = null;
  let next: Promise<Picture> | null = null;
  const start = (): Promise<Picture> => {
    const picture = takePicture(sources);
    running = picture;
    const done = () => {
      if (running === picture) running = null;
    };
    picture.then(done, done);
    return picture;
  };
  const startNext = (): Promise<Picture> => {
    next = null;
    return start();
  };
  return () => {
    if (running === null) return start();
    next ??= running.then(startNext, startNext);
    return next;
  };
}

/** The server, ready for `inject`; `listenApi` puts it on its socket. */
export async function createApiServer({
  sources,
  firmware = NO_FIRMWARE,
  nics = NO_NICS,
  logger,
}: ApiDeps): Promise<ApiApp> {
  const app: ApiApp = fastify({
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    bodyLimit: 64 * 1024,
    // The client goes away when it has its answer; nothing else may keep the daemon from stopping.
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  installErrors(app, PATHS);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'eswitchd',
        description: 'Networks, endpoints and the forwarding table of this host.',
        version: sources.daemon.version,
      },
    },
  });
  const context: RouteContext = { sources, picture: sharedPicture(sources) };
  await app.register(async scope => {
    const typed = scope.withTypeProvider<TypeBoxTypeProvider>();
    statusRoutes(typed, context);
    networkRoutes(typed, context);
    endpointRoutes(typed, context);
    ruleRoutes(typed, context);
    firmwareRoutes(typed, firmware);
    nicRoutes(typed, context, nics);
    explainRoutes(typed, context);
    metricsRoutes(typed, context);
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.ready();
  return app;
}
