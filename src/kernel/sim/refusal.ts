/** The simulated kernel says no: becomes an OpResult, never leaves the simulator. */
export class Refusal extends Error {
  readonly errno: number;
  readonly extack: string;

  constructor(errno: number, extack: string) {
    super(extack);
    this.errno = errno;
    this.extack = extack;
  }
}
