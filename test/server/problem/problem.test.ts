import { expect, test } from 'vitest';
import { Problem } from '../../../server/problem/problem.ts';

test('a problem carries members of its own, which never replace those of RFC 9457 and never hold the reason for the log', () => {
  const problem = new Problem({
    kind: 'key-refused',
    what: 'This key is refused',
    fix: 'Use another.',
    reason: 'only for the log',
    members: { reason: 'not-proven', type: 'about:blank', title: '', detail: '' },
  });
  expect(problem.toJSON()).toEqual({
    type: 'urn:vouch:problem:key-refused',
    title: 'This key is refused',
    detail: 'Use another.',
    reason: 'not-proven',
  });
});
