/** Levenshtein's distance: how many characters to add, remove or change to turn one text into the other. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const change = (row[column - 1] ?? 0) + (character === to[column - 1] ? 0 : 1);
      next.push(Math.min((row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/**
 * The candidate that is nearest to a text.
 *
 * @param within the greatest distance that counts; by default any
 */
export function nearest(text: string, candidates: readonly string[], within = Number.POSITIVE_INFINITY) {
  const distances = candidates.map((candidate) => ({ candidate, distance: editDistance(text, candidate) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= within ? best.candidate : undefined;
}
