import { Problem } from '../problem/problem.ts';

/** As the server makes them (docs/http-api.md): Crockford's base 32, in which O is read as 0, and I and L as 1. */
const LENGTH = 26;

/**
 * Reads an invitation's code as a person typed or pasted it, in any case, with whatever hyphens and spaces.
 *
 * @returns the code as the server has it
 * @throws Problem `invitation-malformed` (exit code 2) when no server could have made it: it is not sent anywhere then
 */
export function readInvitation(typed: string): string {
  const code = typed
    .toUpperCase()
    // Mail programs and word processors make other dashes of hyphens.
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  const strange = /[^0-9A-HJKMNP-TV-Z]/u.exec(code)?.[0];
  if (code.length === LENGTH && strange === undefined) return code;
  throw new Problem({
    kind: 'invitation-malformed',
    what: 'This is not an invitation code.',
    why:
      strange === undefined
        ? `It has ${code.length} letters and digits, and a code has ${LENGTH}.`
        : `It has "${strange}" in it, which no code has.`,
    fix: 'Check it and try again: it looks like XXXXXX-XXXXXX-XXXXXX-XXXXXX-XX.',
  });
}
