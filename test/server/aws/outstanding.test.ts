import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../server/audit/audit.ts';
import { awsCredentialsUntil, rolesUsed } from '../../../server/aws/outstanding.ts';
import { sayOutstanding } from '../../../server/aws/outstanding-words.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';
import { addAudit, emptyAudit } from '../rows.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const email = 'alice@example.com';

let opened: FeatureContext;
beforeAll(async () => {
  opened = await openContext();
});
afterAll(() => opened.close());
beforeEach(() => emptyAudit(opened.context.store));

const entry = (other: Partial<AuditEntry> = {}): AuditEntry => ({
  event: 'aws-token-issued',
  actor: email,
  subject: email,
  sessionId: 'hers',
  detail: { role: ROLE, jti: '1' },
  ...other,
});
const issued = (at: number, other: Partial<AuditEntry> = {}) => addAudit(opened.context.store, at, entry(other));
const until = (holder: Parameters<typeof awsCredentialsUntil>[1] = { email }, minutes = 60) =>
  awsCredentialsUntil(opened.context.store, holder, minutes * 60, NOW);

describe('AWS credentials', () => {
  test('last from the last minute in which AWS takes the last token for as long as its role gives', async () => {
    await issued(NOW - 20 * MINUTE);
    await issued(NOW - 10 * MINUTE);
    await issued(NOW - 15 * MINUTE);
    expect(await until()).toBe(NOW - 10 * MINUTE + 6 * MINUTE + HOUR);
    expect(await until({ email }, 720)).toBe(NOW - 10 * MINUTE + 6 * MINUTE + 12 * HOUR);
  });

  test('last an hour even if agents ask for less, because no role’s maximum is shorter', async () => {
    await issued(NOW);
    expect(await until({ email }, 15)).toBe(NOW + 6 * MINUTE + HOUR);
  });

  test('are none at their end', async () => {
    await issued(NOW - 66 * MINUTE);
    expect(await until()).toBeUndefined();
    await issued(NOW - 66 * MINUTE + 1);
    expect(await until()).toBe(NOW + 1);
  });

  test('last as long as the server allowed when their token was issued, even if it allows less since', async () => {
    const allowed = (seconds: unknown) => ({ detail: { role: ROLE, jti: '1', seconds } as AuditEntry['detail'] });
    await issued(NOW - 5 * HOUR, allowed(12 * 3600));
    await issued(NOW - 4 * HOUR, allowed(2 * 3600));
    await issued(NOW - 3 * HOUR, allowed(8 * 3600));
    await issued(NOW - MINUTE, allowed(15 * 60));
    expect(await until({ email }, 15)).toBe(NOW - 5 * HOUR + 6 * MINUTE + 12 * HOUR);
    expect(await until({ sessionId: 'hers' }, 60)).toBe(NOW - 5 * HOUR + 6 * MINUTE + 12 * HOUR);
    expect(await until('all', 60)).toBe(NOW - 5 * HOUR + 6 * MINUTE + 12 * HOUR);
    // A role that was printed since gives them for longer.
    expect(await until({ email }, 720)).toBe(NOW - MINUTE + 6 * MINUTE + 12 * HOUR);
    await emptyAudit(opened.context.store);
    await issued(NOW - 12 * HOUR - 6 * MINUTE, allowed(12 * 3600));
    expect(await until()).toBeUndefined();
    await issued(NOW - 4 * HOUR, allowed(2 * 3600));
    expect(await until()).toBeUndefined();
    // No row makes them last for ever, whoever wrote it.
    for (const seconds of ['43200', 1e9, -1, null]) await issued(NOW - 2 * HOUR, allowed(seconds));
    expect(await until()).toBe(NOW - 2 * HOUR + 6 * MINUTE + 12 * HOUR);
  });

  test('are a person’s own, or a session’s own', async () => {
    await issued(NOW - 3 * MINUTE);
    await issued(NOW - 2 * MINUTE, { sessionId: 'another of hers' });
    await issued(NOW - MINUTE, { actor: 'bob@example.com', subject: 'bob@example.com', sessionId: 'his' });
    await issued(NOW, { event: 'signed-in' });
    const end = 66 * MINUTE;
    expect(await until()).toBe(NOW - 2 * MINUTE + end);
    expect(await until({ sessionId: 'hers' })).toBe(NOW - 3 * MINUTE + end);
    expect(await until({ sessionId: 'his' })).toBe(NOW - MINUTE + end);
    expect(await until({ email: 'carol@example.com' })).toBeUndefined();
    expect(await until({ sessionId: 'nobody’s' })).toBeUndefined();
  });
});

describe('the roles that a person used', () => {
  const other = ROLE.replace('123456789012', '210987654321');

  test('are each there once, with the time of its last token', async () => {
    await issued(NOW - 1);
    await issued(NOW - 3, { detail: { role: other, jti: '1' } });
    await issued(NOW - 2);
    await issued(NOW, { subject: 'bob@example.com', detail: { role: `${ROLE}2`, jti: '1' } });
    expect(await rolesUsed(opened.context.store, email, NOW - 1000)).toEqual([
      { arn: ROLE, lastAt: NOW - 1 },
      { arn: other, lastAt: NOW - 3 },
    ]);
    expect(await rolesUsed(opened.context.store, email, NOW - 3)).toEqual([{ arn: ROLE, lastAt: NOW - 1 }]);
  });

  test('are never anything but ARNs of roles, whatever the database holds', async () => {
    for (const role of [`${ROLE}'; rm -rf ~; '`, '', null]) await issued(NOW, { detail: { role } });
    await issued(NOW, { detail: {} });
    expect(await rolesUsed(opened.context.store, email, 0)).toEqual([]);
  });
});

describe('the sentence for people', () => {
  const at = (day: number, hour: number, minute: number, second = 0) =>
    new Date(2026, 0, day, hour, minute, second).getTime();

  test.each<[string, number, number, string]>([
    ['today', at(2, 10, 42), at(2, 11, 42), 'AWS credentials issued before 10:42 last until 11:42 at the latest.'],
    [
      'with seconds, which round up',
      at(2, 10, 41, 1),
      at(2, 11, 41, 1),
      'AWS credentials issued before 10:42 last until 11:42 at the latest.',
    ],
    [
      'tomorrow',
      at(2, 23, 30),
      at(3, 0, 36),
      'AWS credentials issued before 23:30 last until Saturday, 3 January 2026 at 00:36 at the latest.',
    ],
  ])('names both times: %s', (_name, now, end, sentence) => {
    expect(sayOutstanding(end, now)).toBe(sentence);
  });

  test('is not there when there are none', () => {
    expect(sayOutstanding(undefined, NOW)).toBeUndefined();
  });
});
