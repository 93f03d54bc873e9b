import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { demultiplex } from '../lab/docker-stream.ts';
import { ExecError, exec, output, tryExec, waitUntil } from '../lab/exec.ts';
import { Scope } from '../lab/scope.ts';

describe('scope', () => {
  it('undoes in reverse order, once, and goes on after a failure', async () => {
    const order: number[] = [];
    const scope = new Scope('order');
    scope.defer(() => void order.push(1));
    scope.defer(() => {
      throw new Error('second fails');
    });
    scope.defer(() => void order.push(3));
    await expect(Promise.all([scope.dispose(), scope.dispose()])).rejects.toThrow('second fails');
    expect(order).toEqual([3, 1]);
  });

  it('removes its folders and what it uses', async () => {
    let disposed = false;
    const scope = new Scope('folders');
    const dir = scope.tempDir('one');
    scope.use({
      [Symbol.dispose]: () => {
        disposed = true;
      },
    });
    expect(existsSync(dir)).toBe(true);
    await scope.dispose();
    expect([existsSync(dir), disposed]).toEqual([false, true]);
  });

  it('names what it makes after the test and the process', () => {
    expect(new Scope('My Test').prefix).toBe(`tmytest-${process.pid}`);
  });
});

describe('exec', () => {
  it('gives exit code, outputs and input exactly', async () => {
    const result = await tryExec(['sh', '-c', 'cat; echo e >&2; exit 3'], { input: 'in\n' });
    expect(result).toMatchObject({ code: 3, signal: null, stdout: 'in\n', stderr: 'e\n' });
  });

  it('rejects with command and output when told to succeed', async () => {
    const failure = await exec(['sh', '-c', 'echo why; exit 2']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ExecError);
    expect((failure as ExecError).message).toContain('exit code 2\nwhy');
  });

  it('ends a command that takes too long, and one that does not exist', async () => {
    await expect(exec(['sleep', '10'], { timeoutMs: 50 })).rejects.toThrow('no end after 50 ms');
    await expect(exec(['no-such-command-here'])).rejects.toThrow('ENOENT');
  });

  it('trims the final newline of an output', async () => {
    expect(await output(['printf', ' a\\nb \\n'])).toBe(' a\nb');
  });

  it('says what it waited for', async () => {
    await expect(waitUntil('the moon', () => false, { timeoutMs: 20, everyMs: 5 })).rejects.toThrow(
      'the moon',
    );
    expect(await waitUntil('a value', () => 0)).toBe(0);
  });
});

describe("Docker's multiplexed stream", () => {
  const frame = (stream: number, text: string): Buffer => {
    const head = Buffer.alloc(8);
    head[0] = stream;
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };

  it('keeps the outputs apart and characters whole', () => {
    const [first, second] = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1)];
    const split = [first, second].map(part => Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 1]), part]));
    const body = Buffer.concat([frame(1, 'one\n'), frame(2, 'err'), ...split]);
    expect(demultiplex(body)).toEqual({ stdout: 'one\nä', stderr: 'err' });
  });

  it('is empty when nothing was printed', () => {
    expect(demultiplex(Buffer.alloc(0))).toEqual({ stdout: '', stderr: '' });
  });
});
