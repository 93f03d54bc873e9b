/** Unix sockets: who may open them, and what a crashed daemon leaves behind. */
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { EswError } from '../lib/errors.ts';
import type { ApiApp } from './app.ts';

/** Whether somebody accepts connections at `path`. */
function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Makes the directory and removes a socket that nobody serves any more. Throws
 * ESW_ERR_CONFIG_VALUE when the path is in use or is no socket.
 */
export async function freeSocketPath(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new EswError('ESW_ERR_CONFIG_VALUE', `${path} exists and is no socket`);
  if (await answers(path)) {
    throw new EswError('ESW_ERR_CONFIG_VALUE', `${path} is served by another process`);
  }
  rmSync(path, { force: true });
}

/** Serves `app` at `path`, for root only (mode 0600). */
export async function listenApi(app: ApiApp, path: string): Promise<void> {
  await freeSocketPath(path);
  // The mode must hold from the first moment, not from a chmod a moment later.
  const umask = process.umask(0o177);
  try {
    await app.listen({ path });
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o600);
}
