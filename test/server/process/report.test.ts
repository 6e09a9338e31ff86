import { expect, test, vi } from 'vitest';
import { Problem } from '../../../server/problem/problem.ts';
import { settingRefused } from '../../../server/problem/setting-refused.ts';
import { report } from '../../../server/process/report.ts';

/** What is said of an error, and what the process ends with. */
function said(error: unknown): [text: string, code: number] {
  const write = vi.spyOn(console, 'error').mockImplementation(() => {});
  const code = report(error);
  const text = write.mock.calls.map(String).join('\n');
  write.mockRestore();
  return [text, code];
}

test('a problem is told in its three parts, and wrong usage ends with 2', () => {
  const parts = { what: 'It is gone.', why: 'Somebody took it.', fix: 'Bring it back.' };
  const text = 'vouch-server: It is gone.\n  Somebody took it.\n  Bring it back.';
  expect(said(new Problem({ kind: 'database-refused', ...parts }))).toEqual([text, 2]);
  expect(said(new Problem({ kind: 'listening-failed', ...parts }))).toEqual([text, 1]);
  expect(said(settingRefused('VOUCH_X', 'a', 'b'))).toEqual(['vouch-server: VOUCH_X is "a"; it should be b', 2]);
});

test('of what nobody expected, a bug of ours too, only the message is told, and it is no wrong usage', () => {
  expect(said(new TypeError('x is undefined'))).toEqual(['vouch-server: x is undefined', 1]);
  expect(said('text')).toEqual(['vouch-server: text', 1]);
});
