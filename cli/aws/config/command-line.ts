/**
 * Splits a `credential_process` command into words, the way that AWS's tools and a shell do for plain words: blanks
 * separate, single and double quotes hold together, a backslash takes the next character as it is.
 *
 * @param special what a backslash takes as it is in double quotes; for Python's shlex, `"` and the backslash alone
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

/** A word as a shell reads it. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
