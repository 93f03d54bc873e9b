/**
 * What we set and what does not count yet. devlink shows a permanent or driverinit value as soon as it is
 * stored, so only who set it knows. The file lies where a reboot clears it: then nothing is pending.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PendingReset } from '../model/firmware.ts';

export class PendingResets {
  readonly #file: string;
  readonly #byNic: Map<string, PendingReset[]>;

  /** An unreadable file is an empty one: what it would tell helps, and nothing depends on it. */
  constructor(file: string) {
    this.#file = file;
    this.#byNic = new Map(Object.entries(readEntries(file)));
  }

  of(nic: string): readonly PendingReset[] {
    return this.#byNic.get(nic) ?? [];
  }

  /** Replaces what was pending for the same thing. */
  add(nic: string, entry: PendingReset): void {
    const others = this.of(nic).filter(({ what }) => what !== entry.what);
    this.#set(nic, [...others, entry]);
  }

  /** That has happened. */
  clear(nic: string, needs: PendingReset['needs']): void {
    this.#set(
      nic,
      this.of(nic).filter(entry => entry.needs !== needs),
    );
  }

  #set(nic: string, entries: readonly PendingReset[]): void {
    if (entries.length === 0) this.#byNic.delete(nic);
    else this.#byNic.set(nic, [...entries]);
    mkdirSync(dirname(this.#file), { recursive: true });
    const next = `${this.#file}.next`;
    writeFileSync(next, JSON.stringify(Object.fromEntries(this.#byNic)), { mode: 0o600 });
    renameSync(next, this.#file);
  }
}

function readEntries(file: string): Record<string, PendingReset[]> {
  try {
    const document: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof document !== 'object' || document === null || Array.isArray(document)) return {};
    return Object.fromEntries(
      Object.entries(document).map(([nic, list]) => [nic, Array.isArray(list) ? list.filter(isPending) : []]),
    );
  } catch {
    return {};
  }
}

function isPending(value: unknown): value is PendingReset {
  if (typeof value !== 'object' || value === null) return false;
  return ['what', 'needs', 'text'].every(
    key => typeof Object.getOwnPropertyDescriptor(value, key)?.value === 'string',
  );
}
