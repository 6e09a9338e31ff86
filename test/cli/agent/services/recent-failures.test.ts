import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { RecentFailures } from '../../../../cli/agent/services/recent-failures.ts';
import { Problem } from '../../../../cli/problem/problem.ts';

const down = (what: string) => new Problem({ kind: 'aws-unreachable', what });
const request = (path: string, ...more: string[]) =>
  Buffer.from(['protocol=https', `path=${path}`, ...more, ''].join('\n'));

test('a failure is returned once, for the same request in either form of the answer', () => {
  const failures = new RecentFailures(() => 0);
  failures.add(request('a', 'vouch-forms=both'), down('one'));
  expect(failures.take(request('b'))).toBeUndefined();
  expect(failures.take(request('a', 'capability[]=authtype'))?.what).toBe('one');
  expect(failures.take(request('a'))).toBeUndefined();
});

test('large requests that failed are not kept in memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const failures = new RecentFailures(() => 0);
  const large = 'x='.padEnd(65_000, 'x');
  const before = used();
  for (let path = 0; path < 1000; path++) failures.add(request(`${path}`, large), down('one'));
  // All of them together would take 65 MB.
  expect(used() - before).toBeLessThan(30_000_000);
  expect(failures.take(request('999', large))?.what).toBe('one');
});
