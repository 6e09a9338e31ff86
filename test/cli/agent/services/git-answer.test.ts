import { describe, expect, test } from 'vitest';
import { parseGitRequest } from '../../../../cli/agent/protocol/git-request.ts';
import { credentialLines } from '../../../../cli/agent/services/git-answer.ts';

test.each(['', 'capability[]=authtype\n', 'vouch-forms=both\n'])(
  'what STS gives brings no line of its own into the answer, asked with %j',
  (form) => {
    const asked = parseGitRequest(Buffer.from(`${form}protocol=https\nhost=git-codecommit.us-east-1.amazonaws.com\n`));
    if (asked === undefined) throw new Error('The request should be well-formed.');
    const lines = (username: string) => credentialLines(asked, { username, password: 'p' }, 0);
    expect(lines('AKIA%token')).toContain('password_expiry_utc=0\n');
    for (const username of ['AKIA%t\nhost=evil.example', 'AKIA%t\r', 'AKIA\0%t', 'AKIA%t\\nhost=evil.example']) {
      expect(() => lines(username)).toThrow(expect.objectContaining({ kind: 'not-a-line' }));
    }
  },
);

describe('the answer', () => {
  const asked = (form: string) => {
    const request = parseGitRequest(Buffer.from(`${form}protocol=https\nhost=h\n`));
    if (request === undefined) throw new Error('The request should be well-formed.');
    return request;
  };
  const credential = { username: 'AKIA%token', password: 'p' };
  const plain = 'username=AKIA%token\npassword=p\n';
  // RFC 7617: "AKIA%token:p" in base64.
  const header = 'capability[]=authtype\nauthtype=Basic\ncredential=QUtJQSV0b2tlbjpw\nephemeral=1\n';
  const until = 'password_expiry_utc=1700000000\n';

  test.each([
    ['a Git that knows no other form', '', plain + until],
    ['a Git that takes a header', 'capability[]=authtype\n', header + until],
    ['a Git with other capabilities', 'capability[]=state\n', plain + until],
    ['the script, which gives Git one of both', 'vouch-forms=both\n', header + plain + until],
    ['the script, of a Git that takes a header', 'vouch-forms=both\ncapability[]=authtype\n', header + plain + until],
  ])('to %s', (_who, form, lines) => {
    expect(credentialLines(asked(form), credential, 1_700_000_000_999)).toBe(lines);
  });
});
