/** The plugin's HTTP side: paths, bodies and errors as Docker's client wants them. */
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { asEswError, type ErrorCode, EswError } from '../lib/errors.ts';
import type { PluginDeps } from './deps.ts';
import { CONTENT_TYPE, errorBody } from './encode.ts';
import { Fields, isObject } from './fields.ts';
import { ipamDriver } from './ipam-driver.ts';
import { type Handler, networkDriver } from './network-driver.ts';

/** A port map of 65,535 entries is 7 MB; nothing Docker sends comes near this. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** Calls without arguments: an empty body is a whole request only there. */
const NO_ARGUMENTS: ReadonlySet<string> = new Set([
  '/Plugin.Activate',
  '/NetworkDriver.GetCapabilities',
  '/IpamDriver.GetCapabilities',
  '/IpamDriver.GetDefaultAddressSpaces',
]);

/**
 * The plugin, ready for `inject`; `listenOnSocket` puts it where Docker looks. Every known path
 * answers 200 with a JSON object, errors too, except a body that is no request (400).
 */
export function createPluginServer(deps: PluginDeps): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    exposeHeadRoutes: false,
    // Calls under way are answered before the daemon stops.
    forceCloseConnections: 'idle',
    // A path that cannot be decoded.
    frameworkErrors: (error, _request, reply) => refuse(reply, 404, 'ESW_ERR_REQUEST_PATH', error.message),
  });
  // A connection kept idle breaks when the daemon restarts, and Docker's client then repeats its
  // request without the body (moby#35459). A new one costs 50 µs.
  app.addHook('onSend', async (_request, reply) => {
    reply.header('connection', 'close');
  });
  // Docker sends no Content-Type, curl sends one of its own: the body is JSON whatever it says.
  app.addHook('onRequest', async request => {
    delete request.raw.headers['content-type'];
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  for (const [path, handler] of routes(deps)) {
    app.post(path, async (request, reply) => {
      reply.type(CONTENT_TYPE);
      const startedMs = deps.clock();
      const answer = await answerTo(deps, path, handler, request.body);
      deps.log.debug({ call: path, ms: deps.clock() - startedMs, status: answer.status }, 'docker call');
      return reply.code(answer.status).send(JSON.stringify(answer.body));
    });
  }
  app.setNotFoundHandler(({ method, url }, reply) =>
    refuse(reply, 404, 'ESW_ERR_REQUEST_PATH', `404 page not found: ${method} ${url}`),
  );
  // What fastify refuses before a handler runs: bodies too large, broken requests.
  app.setErrorHandler((error, _request, reply) =>
    refuse(reply, 400, 'ESW_ERR_REQUEST_BODY', error instanceof Error ? error.message : String(error)),
  );
  return app;
}

function refuse(reply: FastifyReply, status: number, code: ErrorCode, message: string): FastifyReply {
  const body = JSON.stringify(errorBody(new EswError(code, message)));
  return reply.code(status).type(CONTENT_TYPE).send(body);
}

function routes(deps: PluginDeps): ReadonlyMap<string, Handler> {
  const named = (prefix: string, handlers: Readonly<Record<string, Handler>>): [string, Handler][] =>
    Object.entries(handlers).map(([method, handler]) => [`/${prefix}.${method}`, handler]);
  return new Map([
    ['/Plugin.Activate', () => activate(deps)],
    ...named('NetworkDriver', networkDriver(deps)),
    ...named('IpamDriver', ipamDriver(deps)),
  ]);
}

/** Docker activates once in its life: what it asks of the IPAM next may be what it had before. */
function activate({ ipam, log }: PluginDeps): object {
  try {
    ipam.beginReplay();
  } catch (error) {
    log.error({ err: error }, 'replay not prepared');
  }
  return { Implements: ['NetworkDriver', 'IpamDriver'] };
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answerTo(deps: PluginDeps, path: string, handler: Handler, raw: unknown): Promise<Answer> {
  let body: Fields;
  try {
    body = parseBody(path, raw);
  } catch (error) {
    deps.log.warn({ call: path, err: error }, 'docker sent a body that is no request');
    return { status: 400, body: errorBody(asEswError(error)) };
  }
  try {
    return { status: 200, body: await handler(body) };
  } catch (error) {
    const refused = asEswError(error);
    const level = refused.code === 'ESW_ERR_INTERNAL' ? 'error' : 'warn';
    deps.log[level]({ call: path, err: error }, `docker call failed: ${refused.code}: ${refused.message}`);
    // Not the code's own status: Docker takes a 404 of some calls for "not implemented".
    return { status: 200, body: errorBody(refused) };
  }
}

/** A retry of Docker's client after a broken connection arrives with an empty body (moby#35459). */
function parseBody(path: string, raw: unknown): Fields {
  const text = Buffer.isBuffer(raw) ? raw.toString('utf8').trim() : '';
  if (text === '') {
    if (NO_ARGUMENTS.has(path)) return new Fields({});
    throw new EswError('ESW_ERR_REQUEST_BODY', `${path}: the body is empty`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EswError('ESW_ERR_REQUEST_BODY', `${path}: the body is not JSON`, { cause: error });
  }
  if (!isObject(value)) throw new EswError('ESW_ERR_REQUEST_BODY', `${path}: the body is not a JSON object`);
  return new Fields(value);
}
