/** The fastify instance with typebox as the type provider. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Picture } from '../observe/picture.ts';
import type { Sources } from '../observe/sources.ts';

export type ApiApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What a route needs. `picture` is shared by requests that wait at the same time. */
export interface RouteContext {
  readonly sources: Sources;
  picture(): Promise<Picture>;
}
