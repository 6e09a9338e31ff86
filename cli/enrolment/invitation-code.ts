import { Problem } from '../problem/problem.ts';

/** The length of the server's codes (docs/http-api.md). They are in Crockford's base 32, where O reads as 0, and I and L as 1. */
const codeLength = 26;

/**
 * Reads an invitation's code as a person typed or pasted it: in capitals or not, with any hyphens and spaces.
 *
 * @returns the code as the server has it
 * @throws Problem `invitation-malformed` (exit code 2) when no server could have made it. Then it is not sent
 */
export function readInvitation(typed: string): string {
  const code = typed
    .toUpperCase()
    // Mail programs and word processors turn hyphens into other dashes.
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  const strange = /[^0-9A-HJKMNP-TV-Z]/u.exec(code)?.[0];
  if (code.length === codeLength && strange === undefined) return code;
  throw new Problem({
    kind: 'invitation-malformed',
    what: 'This is not an invitation code.',
    why:
      strange === undefined
        ? `It has ${code.length} letters and digits, and a code has ${codeLength}.`
        : `It has "${strange}" in it, which no code has.`,
    fix: 'Check it and try again: it looks like XXXXXX-XXXXXX-XXXXXX-XXXXXX-XX.',
  });
}
