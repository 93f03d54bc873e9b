/** Kernel sentences by number: thousands of rules are refused with the same few. */

/** Drivers put values into some sentences; beyond this many, new ones are not kept. */
const MOST = 4096;
const TOO_MANY = '(too many different messages)';

export class Texts {
  readonly #ids = new Map<string, number>([['', 0]]);
  readonly #texts: string[] = [''];

  /** 0 for "". */
  id(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#texts.length >= MOST && text !== TOO_MANY) return this.id(TOO_MANY);
    const id = this.#texts.length;
    this.#texts.push(text);
    this.#ids.set(text, id);
    return id;
  }

  text(id: number): string {
    return this.#texts[id] ?? '';
  }
}
