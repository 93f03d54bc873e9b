/** Versions as devlink gives them: numbers and words in turn. */

/** Negative, 0 or positive. Numbers compare as numbers, words as text; a missing part precedes any other. */
export function compareVersions(a: string, b: string): number {
  const left = a.match(/\d+|[a-z]+/gi) ?? [];
  const right = b.match(/\d+|[a-z]+/gi) ?? [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = compareParts(left[i], right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  if (/^\d/.test(a) && /^\d/.test(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
