import { expect, test } from 'vitest';
import { readPastedCode } from '../../../../cli/login/paste/read-code.ts';

const code = '3r1Q9V0aXoT2v7bYd4h8KpLwZ5nJc6sGmUe0fRt-x_k';
const right = `amber-otter-canyon-${code}`;
const read = (pasted: string) => readPastedCode(pasted, 'amber otter canyon');

test.each([
  ['as the page has it', right],
  ['with white space around it', `\t ${right} \r\n`],
  [
    'with line breaks in it, as a narrow window wraps it',
    `${right.slice(0, 19)}\n${right.slice(19, 40)}\r\n  ${right.slice(40)}`,
  ],
  ['in the marks of a terminal', `\x1b[200~${right}\x1b[201~`],
  ['with marks that nobody sees', `\u200b${right}\ufeff`],
  ['with the hyphens of a word processor', right.replaceAll('-', '\u2011')],
])('takes the code %s', (_how, pasted) => {
  expect(read(pasted)).toBe(code);
});

test.each([
  ['the code without the words', code],
  ['the words without the code', 'amber-otter-canyon-'],
  ['half of it', right.slice(0, 30)],
  ['more than it', `${right}${'x'.repeat(200)}`],
  ['a password', 'correct horse battery staple'],
  ['the page’s address', 'https://vouch.example.com/s/k7mq3-xw92d'],
  ['what would steer a terminal', '\x1b]0;owned\x07'],
  ['other letters', right.replace('3r1Q', '3r1ä')],
])('takes %s for no code, and does not quote it', (_what, pasted) => {
  let refused: unknown;
  try {
    read(pasted);
  } catch (error) {
    refused = error;
  }
  expect(refused).toMatchObject({
    kind: 'code-malformed',
    exitCode: 2,
    what: 'This is not the code that the page shows.',
  });
  const said = JSON.stringify(refused);
  for (const part of pasted.split(/[^\w]+/).filter((part) => part.length > 6)) expect(said).not.toContain(part);
});

test.each(['', ' \r\n', '\x1b[200~\x1b[201~'])('says that nothing was pasted, for %j', (pasted) => {
  expect(() => read(pasted)).toThrow(
    expect.objectContaining({ kind: 'code-malformed', what: 'Nothing was pasted.', why: '' }),
  );
});

test('knows the code of another sign-in by its words', () => {
  expect(() => read(`brisk-fox-lantern-${code}`)).toThrow(
    expect.objectContaining({ kind: 'code-malformed', what: 'This is the code of another sign-in.' }),
  );
});
