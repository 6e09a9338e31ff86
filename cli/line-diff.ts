/** A line that one text has and the other has not; or, with a blank, the heading that the next ones stand under in both. */
export interface ChangedLine {
  sign: '-' | '+' | ' ';
  line: string;
}

/**
 * What must be taken from one text and put into the other, line by line, as few lines as possible (the longest common
 * subsequence stays). A change within a section of a configuration file is shown under that section's heading.
 */
export function lineDiff(before: string, after: string): ChangedLine[] {
  const a = lines(before);
  const b = lines(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const old = a.slice(start, a.length - end);
  const fresh = b.slice(start, b.length - end);

  // common[i][j]: how many lines the rest of both from i and j on have in common.
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    const row = common[i] ?? [];
    for (let j = fresh.length - 1; j >= 0; j--) {
      row[j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const changes: ChangedLine[] = [];
  let heading = a.slice(0, start).findLast(isHeading);
  const change = (sign: '-' | '+', line = '') => {
    if (isHeading(line)) heading = undefined;
    else if (heading !== undefined && line.trim() !== '') {
      changes.push({ sign: ' ', line: heading });
      heading = undefined;
    }
    changes.push({ sign, line });
  };
  for (let i = 0, j = 0; i < old.length || j < fresh.length; ) {
    if (i < old.length && old[i] === fresh[j]) {
      if (isHeading(fresh[j])) heading = fresh[j];
      i++;
      j++;
    } else if (i < old.length && (j === fresh.length || at(i + 1, j) >= at(i, j + 1))) {
      change('-', old[i++]);
    } else {
      change('+', fresh[j++]);
    }
  }
  return changes;
}

function lines(text: string): string[] {
  const all = text.split('\n');
  return all.at(-1) === '' ? all.slice(0, -1) : all;
}

function isHeading(line = ''): boolean {
  return /^\s*\[/.test(line);
}
