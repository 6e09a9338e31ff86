import { expect, test } from 'vitest';
import { readFreshness } from '../../../server/public-documents/freshness.ts';

const DAY = 86_400;

test.each<[string, Record<string, string>, number, number?]>([
  ['max-age', { 'cache-control': 'public, max-age=600' }, 600],
  ['max-age of a copy that is older already', { 'cache-control': 'max-age=600', age: '599' }, 600, 599],
  ['the longer of two', { 'cache-control': 'max-age=60, s-maxage=900' }, 900],
  ['capital letters, blanks and quotes', { 'cache-control': ' Public ,  MAX-AGE = "60" ' }, 60],
  ['nothing to be stored', { 'cache-control': 'no-store, max-age=600' }, 0],
  ['a question before each use', { 'cache-control': 'no-cache' }, 0],
  ['an end', { expires: 'Mon, 30 Nov 2026 12:10:00 GMT', date: 'Mon, 30 Nov 2026 12:00:00 GMT' }, 600],
  ['an end that is over', { expires: 'Mon, 30 Nov 2026 12:00:00 GMT', date: 'Mon, 30 Nov 2026 12:10:00 GMT' }, 0],
  ['an end that is none', { expires: '0', date: 'Sat, 30 Nov 1996 12:00:00 GMT' }, 0],
  ['nothing', {}, DAY],
  ['a number below zero', { 'cache-control': 'max-age=-1' }, DAY],
  ['a number that is none', { 'cache-control': 'max-age=1e3', age: 'old' }, DAY, 0],
  ['more than 2^31', { 'cache-control': 'max-age=99999999999', age: '99999999999' }, 2 ** 31, 2 ** 31],
  ['hundreds of digits', { 'cache-control': `max-age=${'9'.repeat(400)}` }, DAY],
])('a host that says %s', (_name, headers, maxAge, age = 0) => {
  expect(readFreshness(headers)).toEqual({ maxAge, age });
});
