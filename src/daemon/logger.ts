/** The log: one JSON object per line on stderr. */
import { destination, type Logger, pino, stdSerializers } from 'pino';
import { EswError } from '../lib/errors.ts';
import type { Config } from './config.ts';

export type { Logger } from 'pino';

const STDERR_FD = 2;

/** An error with its code, and its stack only where the defect is ours. */
function serialize(error: Error): unknown {
  if (!(error instanceof EswError) || error.code === 'ESW_ERR_INTERNAL') return stdSerializers.err(error);
  const { cause } = error;
  return {
    code: error.code,
    message: error.message,
    ...(cause instanceof Error ? { cause: cause.message } : {}),
  };
}

/** Synchronous: the last line before an exit must not be lost, and there are few lines. */
export function createLogger(config: Pick<Config, 'logLevel' | 'instance'>): Logger {
  return pino(
    {
      level: config.logLevel,
      base: { instance: config.instance },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: serialize },
    },
    destination({ fd: STDERR_FD, sync: true }),
  );
}
