/** Every failure as {error: {code, message, hint, cause?}}; fastify's own failures get codes of ours. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asEswError, EswError } from '../lib/errors.ts';
import { nearestName } from '../lib/suggest.ts';
import { errorDetail } from '../observe/status.ts';
import type { ErrorBody } from '../wire/api/common.ts';

export const errorBody = (error: EswError): ErrorBody => ({ error: errorDetail(error) });

const isFastifyError = (error: unknown): error is FastifyError => error instanceof Error && 'code' in error;

/** `querystring/view` → `query view`, with the values that would do. */
function validationText({ validation, validationContext }: FastifyError): string {
  const [problem] = validation ?? [];
  if (problem === undefined) return 'the request does not fit its schema';
  const where = validationContext === 'querystring' ? 'query' : (validationContext ?? 'request');
  const { params } = problem;
  if (problem.keyword === 'additionalProperties')
    return `${where} ${String(params['additionalProperty'])} is not known`;
  const name = problem.instancePath.slice(1).replaceAll('/', '.');
  const allowed: unknown = params['allowedValues'];
  if (Array.isArray(allowed)) return `${where} ${name} must be one of ${allowed.join(', ')}`;
  return `${where} ${name} ${problem.message ?? 'does not fit'}`;
}

function translate(error: unknown): EswError {
  if (!isFastifyError(error) || error instanceof EswError) return asEswError(error);
  if (error.validation !== undefined) {
    return new EswError('ESW_ERR_REQUEST_FIELD', validationText(error), { cause: error });
  }
  const { statusCode = 500 } = error;
  if (statusCode >= 400 && statusCode < 500) {
    return new EswError('ESW_ERR_REQUEST_BODY', error.message, { cause: error });
  }
  return asEswError(error);
}

export function installErrors(app: FastifyInstance, paths: readonly string[]): void {
  app.setErrorHandler((error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const translated = translate(error);
    if (translated.status >= 500) {
      request.log.warn({ err: error, code: translated.code, path: request.url }, 'request failed');
    }
    return reply.code(translated.status).send(errorBody(translated));
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? request.url;
    const meant = nearestName(path, paths);
    const error = new EswError(
      'ESW_ERR_REQUEST_PATH',
      `no ${request.method} ${path}${meant === null || meant === path ? '' : `; did you mean ${meant}?`}`,
    );
    return reply.code(error.status).send(errorBody(error));
  });
}
