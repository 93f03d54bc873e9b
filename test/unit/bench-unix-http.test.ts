import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { field, numberField, UnixHttp } from '../../bench/lib/unix-http.ts';

const folder = mkdtempSync(join(tmpdir(), 'bench-http-'));
const socketPath = join(folder, 'test.sock');
let underWay = 0;
let mostUnderWay = 0;
let served = 0;

const server = createServer((request, response) => {
  underWay += 1;
  served += 1;
  mostUnderWay = Math.max(mostUnderWay, underWay);
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    setTimeout(() => {
      underWay -= 1;
      if (request.url === '/drop') {
        request.socket.destroy();
        return;
      }
      const text = JSON.stringify({ url: request.url, got: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(request.url === '/absent' ? 404 : 200, {
        'Content-Length': Buffer.byteLength(text),
      });
      response.end(text);
    }, 2);
  });
});

beforeAll(() => new Promise<void>(resolve => server.listen(socketPath, resolve)));
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('UnixHttp', () => {
  it('sends a body and reads status, body and time, beyond ASCII too', async () => {
    const http = new UnixHttp(socketPath);
    const reply = await http.call('POST', '/a', { name: 'Zürich ✓' });
    expect(reply.status).toBe(200);
    expect(field(reply.body, 'got')).toBe('{"name":"Zürich ✓"}');
    expect(reply.elapsedMs).toBeGreaterThan(0);
    expect((await http.call('GET', '/absent')).status).toBe(404);
  });

  it('has no more requests under way than it may', async () => {
    const http = new UnixHttp(socketPath, 3);
    mostUnderWay = 0;
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => http.call('GET', `/${index}`)),
    );
    expect(replies.map(reply => field(reply.body, 'url'))).toEqual(replies.map((_, index) => `/${index}`));
    expect(mostUnderWay).toBe(3);
  });

  it('fails when the connection breaks, and works again after', async () => {
    const http = new UnixHttp(socketPath);
    await expect(http.call('GET', '/drop')).rejects.toThrow('closed');
    const before = served;
    expect((await http.call('GET', '/again')).status).toBe(200);
    expect(served).toBe(before + 1);
  });

  it('fails when nobody listens', async () => {
    const http = new UnixHttp(join(folder, 'nobody.sock'));
    await expect(http.call('GET', '/')).rejects.toThrow('ENOENT');
  });
});

describe('numberField', () => {
  it('finds numbers and refuses anything else', () => {
    expect(numberField({ a: { b: 3 } }, 'a', 'b')).toBe(3);
    expect(() => numberField({ a: { b: '3' } }, 'a', 'b')).toThrow('no number at a.b');
    expect(field(null, 'a')).toBeNull();
  });
});
