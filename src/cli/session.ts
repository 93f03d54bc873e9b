/** One run of eswitchctl: global options, the question, the answer on the terminal. */
import type { Command } from 'commander';
import { ask, EXIT } from './client.ts';
import type { Style } from './text.ts';

/** What the program may touch. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Columns of the terminal, 80 when there is none. */
  readonly width: number;
  readonly colour: boolean;
  /** Default of --socket. */
  readonly socket: string;
  readonly version: string;
  now(): number;
}

interface GlobalOptions {
  readonly socket: string;
  readonly json?: true;
  readonly color: boolean;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** Longest wait, milliseconds; absent: what suits a look. */
  readonly timeoutMs?: number;
}

export class Session {
  readonly #io: Io;
  readonly #program: Command;
  exitCode: number = EXIT.ok;

  constructor(io: Io, program: Command) {
    this.#io = io;
    this.#program = program;
  }

  get #options(): GlobalOptions {
    return this.#program.opts<GlobalOptions>();
  }

  /** Asks, then prints the answer as it came or as a screen. */
  show<T>(
    method: 'GET' | 'POST',
    path: string,
    screen: (body: T, style: Style) => Promise<string[]>,
  ): Promise<T> {
    return this.ask({ method, path }, screen);
  }

  /** The same, with a body or more patience. */
  async ask<T>(question: Question, screen: (body: T, style: Style) => Promise<string[]>): Promise<T> {
    const { socket, json, color } = this.#options;
    const { method, path, ...more } = question;
    const body = await ask<T>(socket, method, path, more);
    if (json) this.#io.out(`${JSON.stringify(body, null, 2)}\n`);
    else {
      const style: Style = { width: Math.max(40, this.#io.width), colour: this.#io.colour && color };
      this.#io.out(`${(await screen(body, style)).join('\n')}\n`);
    }
    return body;
  }
}
