import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findOpenInvitation, useInvitation } from '../../../server/invitations/invitations.ts';
import { invite } from '../../../server/invitations/invite.ts';
import { type InvitationsFilter, listInvitations } from '../../../server/invitations/list.ts';
import { resendInvitation } from '../../../server/invitations/resend.ts';
import { revokeInvitation } from '../../../server/invitations/revoke.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';
import { keyRow, personRow } from '../rows.ts';

const BY = { actor: 'cli:root', sudoUser: 'olga' };
const HOUR = 3600_000;

let opened: FeatureContext;
beforeEach(async () => {
  opened = await openContext();
});
afterEach(() => opened.close());

const store = () => opened.context.store;
const find = (code: string, now = NOW) => findOpenInvitation(store(), code, now);
const list = async (filter: InvitationsFilter = {}, now = NOW) =>
  (await listInvitations(store(), now, filter, { limit: 100 })).rows;
const idOf = async (email: string) => (await list({ all: true })).find((row) => row.email === email)?.id ?? '';
const revoke = (which: string, now = NOW) =>
  store()
    .transaction()
    .execute((transaction) => revokeInvitation(transaction, now, which, BY));
const resend = (which: string, now = NOW) =>
  store()
    .transaction()
    .execute((transaction) => resendInvitation(transaction, now, which, BY));
const newPerson = async (email: string, keys = 1) => {
  await store().insertInto('people').values(personRow(email, email)).execute();
  if (keys > 0)
    await store()
      .insertInto('keys')
      .values(keyRow(`key of ${email}`, email))
      .execute();
};
const lastAudit = () => store().selectFrom('audit').selectAll().orderBy('id', 'desc').executeTakeFirstOrThrow();

describe('the list', () => {
  test('has the open ones, newest first, with who invited whom for what, and nothing of a code', async () => {
    await newPerson('lost@example.com');
    const codes = [
      await invite(store(), NOW - 3, { email: 'alice@example.com', role: 'owner' }, { actor: 'cli:olga' }),
      await invite(store(), NOW - 2, { email: 'bob@example.com', endsAt: NOW + 5 * HOUR }, BY),
      await invite(store(), NOW - 1, { email: 'lost@example.com', replaceKeys: true }, BY),
    ];
    const rows = await list();
    expect(rows).toEqual([
      row({ email: 'lost@example.com', replaceKeys: true, createdAt: NOW - 1, expiresAt: NOW - 1 + 24 * HOUR }),
      row({ email: 'bob@example.com', endsAt: NOW + 5 * HOUR, createdAt: NOW - 2, expiresAt: NOW + 5 * HOUR }),
      row({ email: 'alice@example.com', role: 'owner', invitedBy: 'cli:olga', createdAt: NOW - 3 }),
    ]);
    const stored = await store().selectFrom('invitations').select('code_hash').execute();
    for (const secret of [...codes.map(({ code }) => code), ...stored.map((each) => each.code_hash)]) {
      expect(JSON.stringify(rows)).not.toContain(secret);
    }
  });

  test('leaves out the others unless all are asked for, and says what became of them', async () => {
    const email = 'alice@example.com';
    await invite(store(), NOW - 100 * HOUR, { email: 'late@example.com' }, BY);
    await invite(store(), NOW - 2 * HOUR, { email }, BY);
    await invite(store(), NOW - HOUR, { email }, BY);
    await useInvitation(store(), await idOf(email), NOW - 5);
    expect(await list()).toEqual([]);
    expect((await list({ all: true })).map(({ state, closedAt }) => [state, closedAt])).toEqual([
      ['used', NOW - 5],
      ['revoked', NOW - HOUR],
      ['expired', null],
    ]);
  });

  test('filters by address, owners and recoveries', async () => {
    await newPerson('lost_1@example.com');
    await invite(store(), NOW, { email: 'alice@example.com', role: 'owner' }, BY);
    await invite(store(), NOW, { email: 'lost_1@example.com', replaceKeys: true }, BY);
    const emails = async (filter: InvitationsFilter) => (await list(filter)).map(({ email }) => email);
    expect(await emails({ owners: true })).toEqual(['alice@example.com']);
    expect(await emails({ replaceKeys: true })).toEqual(['lost_1@example.com']);
    expect(await emails({ search: 'LICE@' })).toEqual(['alice@example.com']);
    expect(await emails({ search: 't_1' })).toEqual(['lost_1@example.com']);
    expect(await emails({ search: 'a_i' })).toEqual([]);
    expect(await emails({ search: '%' })).toEqual([]);
  });

  test('comes in pages, each where the one before ended, even if some have the same time', async () => {
    const emails = Array.from({ length: 7 }, (_, index) => `person${index}@example.com`);
    for (const [index, email] of emails.entries()) await invite(store(), NOW - (index >> 1), { email }, BY);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await listInvitations(store(), NOW, {}, { limit: 3, after });
      seen.push(...page.rows.map(({ email }) => email));
      after = page.next ?? undefined;
      // A newer one shifts nothing.
      await invite(store(), NOW + seen.length, { email: `new${seen.length}@example.com` }, BY);
    } while (after !== undefined);
    expect([...seen].sort()).toEqual(emails);
    const page = listInvitations(store(), NOW, {}, { limit: 3, after: 'nonsense' });
    await expect(page).rejects.toMatchObject({ kind: 'option-refused' });
  });
});

describe('revoking', () => {
  test('voids the open one, by address or ID, with its row in the audit trail', async () => {
    for (const by of ['address', 'ID']) {
      const email = `${by.toLowerCase()}@example.com`;
      const { code } = await invite(store(), NOW, { email }, BY);
      const id = await idOf(email);
      expect(await revoke(by === 'ID' ? id : ` ${email.toUpperCase()}`)).toEqual({ id, email });
      expect(await find(code)).toBeUndefined();
      const { event, subject, reason, actor, detail } = await lastAudit();
      expect([event, subject, reason, actor, JSON.parse(detail)]).toEqual([
        'invitation-revoked',
        email,
        null,
        'cli:root',
        { sudoUser: 'olga' },
      ]);
    }
  });

  test('says what became of one that is not open, and changes nothing', async () => {
    await invite(store(), NOW, { email: 'used@example.com' }, BY);
    await useInvitation(store(), await idOf('used@example.com'), NOW);
    await invite(store(), NOW - 80 * HOUR, { email: 'late@example.com' }, BY);
    await invite(store(), NOW, { email: 'gone@example.com' }, BY);
    await revoke('gone@example.com');
    const rows = await list({ all: true });
    for (const [which, said] of [
      ['used@example.com', /^used@example\.com has no open invitation: the last one was used on .* at /],
      ['late@example.com', /the last one expired on /],
      ['gone@example.com', /the last one was revoked on .*\n {2}To invite them again: vouch-server invite gone@/],
      ['stranger@example.com', /^There is no invitation for "stranger@example\.com"\.\n/],
      ['c0ffee', /^There is no invitation for "c0ffee"\.\n/],
      [`${'x'.repeat(5_000)}\u0007`, /^There is no invitation for "x{100}"\.\n/],
    ] as const) {
      const refused = { kind: 'invitation-unknown', message: expect.stringMatching(said) };
      await expect(revoke(which)).rejects.toMatchObject(refused);
    }
    expect(await list({ all: true })).toEqual(rows);
  });
});

describe('resending', () => {
  test('makes a new code with the same rights, and voids the old one', async () => {
    const endsAt = NOW + 500 * HOUR;
    const old = await invite(store(), NOW, { email: 'alice@example.com', role: 'owner', endsAt }, BY);
    const renewed = await resend('alice@example.com', NOW + HOUR);
    expect(renewed).toMatchObject({ role: 'owner', endsAt, expiresAt: NOW + 73 * HOUR, voids: true });
    expect(renewed.code).not.toBe(old.code);
    expect(await find(old.code)).toBeUndefined();
    expect(await find(renewed.code)).toMatchObject({ email: 'alice@example.com', role: 'owner', ends_at: endsAt });
    await newPerson('lost@example.com');
    await invite(store(), NOW, { email: 'lost@example.com', replaceKeys: true }, BY);
    const recovery = await resend(await idOf('lost@example.com'), NOW + HOUR);
    expect(recovery).toMatchObject({ replaceKeys: true, expiresAt: NOW + 25 * HOUR });
  });

  test('renews one that has expired, but none that was used or revoked', async () => {
    const email = 'alice@example.com';
    await invite(store(), NOW - 100 * HOUR, { email }, BY);
    expect(await resend(email)).toMatchObject({ email, voids: false });
    await revoke(email);
    await expect(resend(email)).rejects.toMatchObject({ kind: 'invitation-unknown' });
    await invite(store(), NOW + 1, { email }, BY);
    await useInvitation(store(), await idOf(email), NOW + 2);
    await expect(resend(email, NOW + 3)).rejects.toMatchObject({ kind: 'invitation-unknown' });
    expect(await list({ all: true })).toHaveLength(3);
  });

  test('asks again whether the person may be invited: they may have changed', async () => {
    const lost = 'lost@example.com';
    await newPerson(lost);
    await invite(store(), NOW, { email: lost, replaceKeys: true }, BY);
    await store().updateTable('keys').set({ removed_at: NOW }).execute();
    expect(await resend(lost)).toMatchObject({ replaceKeys: true, keys: 0 });
    await store().updateTable('people').set({ disabled_at: NOW }).execute();
    await expect(resend(lost)).rejects.toMatchObject({ kind: 'person-shut-out' });
    // Somebody who is here by now keeps what they have.
    const email = 'alice@example.com';
    await invite(store(), NOW, { email, endsAt: NOW + 9 * HOUR }, BY);
    await newPerson(email);
    expect(await resend(email)).toMatchObject({ endsAt: null, keys: 1 });
  });
});

function row(other: object) {
  return {
    id: expect.stringMatching(/^[\da-f-]{36}$/),
    role: 'member',
    replaceKeys: false,
    endsAt: null,
    invitedBy: 'cli:root',
    expiresAt: expect.any(Number),
    state: 'open',
    closedAt: null,
    ...other,
  };
}
