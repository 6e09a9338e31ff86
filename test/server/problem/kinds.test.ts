import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { STATUS } from '../../../server/http/status.ts';
import { KINDS, OF_REQUESTS } from '../../../server/problem/kinds.ts';

const docs = readFileSync(resolve(import.meta.dirname, '../../../docs/http-api.md'), 'utf8');

test('docs/http-api.md names every problem that a request can be answered with, and no other', () => {
  const section = docs.slice(docs.indexOf('\n## Problems\n')).split('\n\n')[1] ?? '';
  const named = [...section.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
  expect(named.sort()).toEqual(Object.keys(OF_REQUESTS).sort());
});

test('each kind has the HTTP status that clients know it by', () => {
  const byStatus = Object.groupBy(Object.keys(OF_REQUESTS) as (keyof typeof OF_REQUESTS)[], (kind) =>
    String(STATUS[KINDS[kind]]),
  );
  expect(byStatus).toEqual({
    400: ['role-refused', 'bad-request'],
    401: ['session-over', 'web-session-over', 'token-refused'],
    403: [
      'unknown-key',
      'challenge-used',
      'user-not-verified',
      'counter-went-back',
      'key-refused',
      'assertion-refused',
      'invitation-refused',
      'person-shut-out',
      'owner-missing',
      'owner-link-over',
      'other-browser',
      'approval-needed',
      'confirmation-needed',
      'touch-needed',
    ],
    404: ['not-found'],
    409: ['already-enrolled', 'last-key', 'too-many-keys', 'name-taken'],
    410: ['interaction-over', 'cancelled'],
    421: ['misdirected-request'],
    429: ['too-many-requests'],
    500: ['internal-error'],
    503: ['unavailable'],
  });
});
