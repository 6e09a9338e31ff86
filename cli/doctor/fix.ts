import type { Mend, Result } from './check.ts';

/** What `--fix` can do about the findings, each once. */
export function mendsOf(results: readonly Result[]): Mend[] {
  const mends = new Map<string, Mend>();
  for (const { mend } of results.flatMap(({ findings }) => findings)) {
    if (mend && !mends.has(mend.name)) mends.set(mend.name, mend);
  }
  return [...mends.values()];
}

/** All that the mends would change, for a person to read. */
export async function previewOf(mends: readonly Mend[]): Promise<string[]> {
  const lines: string[] = [];
  for (const mend of mends) lines.push(...(await mend.preview()));
  return lines;
}
