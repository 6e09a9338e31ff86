import { expect, test } from 'vitest';
import { credentialLines } from '../../../cli/git/credential-lines.ts';
import { parseGitRequest } from '../../../cli/git/request.ts';

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
