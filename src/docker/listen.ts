/** Listening where Docker looks for plugins. */
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { EswError } from '../lib/errors.ts';

/**
 * Serves `app` on a unix socket that only its owner can open (mode 0600). Makes the directory. A
 * socket that nobody answers on is a dead daemon's and is replaced; throws ESW_ERR_KERNEL_FOREIGN when
 * somebody does, or when the path is no socket.
 */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  await removeStale(path);
  await app.ready();
  await new Promise<void>((resolve, reject) => {
    app.server.once('error', reject);
    // The mode is given at bind, which listen() does before it returns: there is no moment with another.
    const umask = process.umask(0o177);
    try {
      app.server.listen({ path }, () => {
        app.server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new EswError('ESW_ERR_KERNEL_FOREIGN', `${path} exists and is no socket`);
  if (await isAnswered(path)) {
    throw new EswError('ESW_ERR_KERNEL_FOREIGN', `another process listens on ${path}`);
  }
  rmSync(path, { force: true });
}

/** A refused connection means a dead socket; anything else is taken for life. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
