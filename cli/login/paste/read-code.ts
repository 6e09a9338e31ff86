import { Problem } from '../../problem/problem.ts';

/**
 * Reads what somebody pasted: the words of the sign-in with hyphens, and the code (docs/http-api.md). White space, line breaks and marks of
 * a terminal around it or in it do not matter, nor does a hyphen that a word processor made longer.
 *
 * @param words the words of this sign-in
 * @returns the code
 * @throws Problem `code-malformed`, which does not quote what was pasted: it may be a secret of something else
 */
export function readPastedCode(pasted: string, words: string): string {
  const text = pasted
    // biome-ignore lint/suspicious/noControlCharactersInRegex: xterm's marks around what is pasted
    .replace(/\x1b\[20[01]~/g, '')
    .replace(/[\s\p{Cf}]/gu, '')
    .replace(/\p{Pd}/gu, '-');
  if (text === '') throw malformed('Nothing was pasted.', '');
  const [, saidWords, code] = /^([a-z]+-[a-z]+-[a-z]+)-([\w-]{20,128})$/.exec(text) ?? [];
  if (code === undefined || saidWords === undefined) {
    throw malformed(
      'This is not the code that the page shows.',
      `It has ${text.length} characters, and should be the words ${words.replaceAll(' ', '-')}, a hyphen, and some more.`,
    );
  }
  if (saidWords === words.replaceAll(' ', '-')) return code;
  throw malformed(
    'This is the code of another sign-in.',
    `Its page shows other words than this terminal, which shows: ${words}`,
  );
}

function malformed(what: string, why: string): Problem {
  return new Problem({
    kind: 'code-malformed',
    what,
    why,
    fix: 'Copy the code from the page that shows the words of this terminal, and paste it here.',
  });
}
