import { expect, test, vi } from 'vitest';
import { readList } from '../../../server/invitations/read-list.ts';
import { Problem } from '../../../server/problem/problem.ts';
import { settingRefused } from '../../../server/problem/setting-refused.ts';
import { printError } from '../../../server/process/print-error.ts';

/** The printed text of an error, and the exit status. */
function reported(error: unknown): [text: string, code: number] {
  const write = vi.spyOn(console, 'error').mockImplementation(() => {});
  const code = printError(error);
  const text = write.mock.calls.map(String).join('\n');
  write.mockRestore();
  return [text, code];
}

test('a problem is printed in its three parts, and wrong usage ends with 2', () => {
  const parts = { what: 'It is gone.', why: 'Somebody took it.', fix: 'Bring it back.' };
  const text = 'vouch-server: It is gone.\n  Somebody took it.\n  Bring it back.';
  expect(reported(new Problem({ kind: 'database-refused', ...parts }))).toEqual([text, 2]);
  expect(reported(new Problem({ kind: 'listening-failed', ...parts }))).toEqual([text, 1]);
  expect(reported(settingRefused('VOUCH_X', 'a', 'b'))).toEqual(['vouch-server: VOUCH_X is "a"; it should be b', 2]);
});

test('an unexpected error, such as a bug, is printed by its message alone, and is not wrong usage', () => {
  expect(reported(new TypeError('x is undefined'))).toEqual(['vouch-server: x is undefined', 1]);
  expect(reported('text')).toEqual(['vouch-server: text', 1]);
});

test('what an error quotes cannot steer the terminal, nor turn its text round', () => {
  const list = 'email,role\n\u202emoc.elpmaxe@ecila,\nalice@example.com,\u009b31mred\u2028\u0007owner\n';
  let error: unknown;
  try {
    readList(Buffer.from(list));
  } catch (refused) {
    error = refused;
  }
  const [text] = reported(error);
  expect(text.split('\n')).toEqual([
    expect.stringContaining('has errors'),
    expect.stringMatching(/^ {2}Line 2: The address holds " "; /),
    expect.stringMatching(/^ {2}Line 3: "\\u009b31mred\\u2028\\u0007owner" is no role/),
    expect.stringContaining('Correct them'),
  ]);
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\u2028\u2029]/u);
});
