/**
 * Splits a `credential_process` command into words, as AWS's tools and a shell do: blanks separate words, single and double quotes
 * hold them together, and a character after a backslash stands for itself.
 *
 * @param special the characters that a backslash escapes in double quotes; for Python's shlex only `"` and the backslash
 * @returns undefined when a quote stays open, or nothing follows the last backslash
 */
export function splitCommandLine(line: string, special = '"\\$`'): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const character = line.charAt(i);
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (character === '\\' && quote === '"' && i + 1 < line.length && special.includes(line.charAt(i + 1)))
        word += line.charAt(++i);
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      if (character === '\\' && i + 1 === line.length) return undefined;
      word = (word ?? '') + (character === '\\' ? line.charAt(++i) : character);
    }
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

/** A word as it is written for a shell: in quotes if it needs them. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
