import { describe, expect, test } from 'vitest';
import { fitted, speaker } from '../../../cli/text/hang.ts';

const narrow = { isTTY: true, columns: 40 };
const long = 'Run `vouch setup codecommit --local` in that repository, then try again.';

describe('fitted', () => {
  test('breaks lines at blanks, never within a command, and keeps indents and what is asked for at the end', () => {
    expect(fitted(`${long}\n  ${long} `, narrow)).toBe(
      [
        'Run `vouch setup codecommit --local` in',
        'that repository, then try again.',
        '  Run `vouch setup codecommit --local`',
        '  in that repository, then try again. ',
      ].join('\n'),
    );
    expect(fitted(`Git       ${long}`, { ...narrow, columns: 60 }, 10)).toBe(
      `Git       Run \`vouch setup codecommit --local\` in that\n          repository, then try again.`,
    );
  });

  test('keeps a number and its unit together', () => {
    const text = 'Signed in until Tue 1 Dec 03:54, for 18 h from now; or 30 min, or 12 hours';
    expect(fitted(text, narrow).split('\n')).toEqual([
      'Signed in until Tue 1 Dec 03:54, for',
      '18 h from now; or 30 min, or 12 hours',
    ]);
  });

  test('leaves what fits, and a word that never will', () => {
    const address = `  https://vouch.example.com/${'x'.repeat(60)}`;
    for (const text of ['', 'two  blanks\n', `${address}\n`]) expect(fitted(text, narrow)).toBe(text);
  });

  test.each([{}, { isTTY: false, columns: 40 }, { isTTY: true }, { isTTY: true, columns: 0 }])(
    'leaves all as it is for %j',
    (stream) => {
      expect(fitted(long, stream)).toBe(long);
    },
  );
});

test('a speaker leaves addresses and commands whole, which people copy', () => {
  let said = '';
  const command = '  ssh -L 41234:127.0.0.1:41234 alice@build-server.example.com';
  speaker({ ...narrow, write: (text) => (said += text) })(`${long}\n${command}`);
  expect(said).toBe(`Run \`vouch setup codecommit --local\` in\nthat repository, then try again.\n${command}\n`);
});
