/** A benchmark that could not be run, with the reason for whoever started it. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}
