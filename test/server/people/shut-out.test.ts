import { describe, expect, test } from 'vitest';
import { disable, enable } from '../../../server/people/disable.ts';
import { remove } from '../../../server/people/remove.ts';
import { removeNamedKey } from '../../../server/people/remove-named-key.ts';
import { overReasons } from '../../../server/sessions/session-over.ts';
import { findActiveSession } from '../../../server/sessions/sessions.ts';
import type { Store } from '../../../server/store/store.ts';
import { keyRow, sessionRow } from '../rows.ts';
import { addPerson, auditOf, BY, change, NOW, newStore, webSessionRow } from './store.ts';

/** Alice is an owner; Bob has two keys, a session with each, a browser with the second, and an invitation. */
async function team(): Promise<Store> {
  const store = await newStore();
  await addPerson(store, 'alice@example.com', 1, { role: 'owner' });
  await addPerson(store, 'bob@example.com', 2);
  for (const [id, person, key] of [
    ['a', 'alice', 'alice-1'],
    ['b1', 'bob', 'bob-1'],
    ['b2', 'bob', 'bob-2'],
  ] as const) {
    await store
      .insertInto('sessions')
      .values(sessionRow(id, person, key, { machine: `${person}-laptop` }))
      .execute();
  }
  for (const [id, person, key] of [
    ['wa', 'alice', 'alice-1'],
    ['wb', 'bob', 'bob-2'],
  ] as const) {
    await store
      .insertInto('web_sessions')
      .values(webSessionRow(id, person, key, NOW))
      .execute();
  }
  for (const [id, email, expiresAt] of [
    ['ia', 'alice@example.com', NOW + 1],
    ['ib', 'bob@example.com', NOW + 1],
    ['old', 'bob@example.com', NOW],
  ] as const) {
    await store
      .insertInto('invitations')
      .values({
        id,
        code_hash: `hash of ${id}`,
        email,
        role: 'member',
        replace_keys: 0,
        ends_at: null,
        invited_by: 'cli:root',
        created_at: 1,
        expires_at: expiresAt,
        used_at: null,
        revoked_at: null,
      })
      .execute();
  }
  return store;
}

const idsOf = async (store: Store, table: 'people' | 'keys' | 'sessions' | 'web_sessions') =>
  (await store.selectFrom(table).select('id').orderBy('id').execute()).map(({ id }) => id);

const isActive = async (store: Store, id: string) => (await findActiveSession(store, id, NOW)) !== undefined;

async function revokedInvitations(store: Store): Promise<string[]> {
  const rows = await store.selectFrom('invitations').where('revoked_at', 'is not', null).select('id').execute();
  return rows.map(({ id }) => id);
}

const bobsEvent = (event: string, more: object = {}) => ({
  event,
  actor: 'cli:root',
  subject: 'bob@example.com',
  detail: { sudoUser: 'admin' },
  ...more,
});

const bobsSessions = (reason: string) => [
  bobsEvent('session-ended', { reason, key_id: 'bob-1', session_id: 'b1' }),
  bobsEvent('session-ended', { reason, key_id: 'bob-2', session_id: 'b2' }),
];

describe('disabling a person', () => {
  test('ends all their sessions and voids their open invitations, and nobody else’s', async () => {
    const store = await team();
    const done = await change(store, (transaction) => disable(transaction, NOW, 'Bob@Example.com', BY, 'has left'));
    expect(done).toEqual({
      email: 'bob@example.com',
      changed: true,
      sessions: [
        { id: 'b1', email: 'bob@example.com', machine: 'bob-laptop' },
        { id: 'b2', email: 'bob@example.com', machine: 'bob-laptop' },
      ],
      browsers: 1,
      invitations: 1,
    });
    expect([await isActive(store, 'a'), await isActive(store, 'b1')]).toEqual([true, false]);
    expect(await idsOf(store, 'web_sessions')).toEqual(['wa']);
    expect(await revokedInvitations(store)).toEqual(['ib']);
    expect(await auditOf(store)).toEqual([
      bobsEvent('person-disabled', { detail: { sudoUser: 'admin', text: 'has left' } }),
      ...bobsSessions('person-disabled'),
      bobsEvent('web-session-ended', { reason: 'person-disabled', key_id: 'bob-2', session_id: 'wb' }),
      bobsEvent('invitation-revoked', { reason: 'person-disabled' }),
    ]);
  });

  test('twice changes nothing, and says so', async () => {
    const store = await team();
    await change(store, (transaction) => disable(transaction, NOW, 'bob@example.com', BY));
    const before = await auditOf(store);
    const again = await change(store, (transaction) => disable(transaction, NOW + 5, 'bob@example.com', BY, 'twice'));
    expect(again).toEqual({ email: 'bob@example.com', changed: false, sessions: [], browsers: 0, invitations: 0 });
    expect(await auditOf(store)).toEqual(before);
    expect(await store.selectFrom('people').where('id', '=', 'bob').select('disabled_at').execute()).toEqual([
      { disabled_at: NOW },
    ]);
  });

  test('leaves nothing half done when a part fails', async () => {
    const store = await team();
    const failing = change(store, async (transaction) => {
      await disable(transaction, NOW, 'bob@example.com', BY);
      throw new Error('the disk is full');
    });
    await expect(failing).rejects.toThrow('the disk is full');
    expect(await isActive(store, 'b1')).toBe(true);
    expect(await revokedInvitations(store)).toEqual([]);
    expect(await auditOf(store)).toEqual([]);
  });
});

test('enabling undoes the disabling alone: keys work again, sessions stay over, an end date still holds', async () => {
  const store = await team();
  await store
    .updateTable('people')
    .set({ ends_at: NOW + 9 })
    .where('id', '=', 'bob')
    .execute();
  await change(store, (transaction) => disable(transaction, NOW, 'bob@example.com', BY));
  const reasons = () => overReasons(store, [{ id: 'b1' }], NOW);
  expect(await reasons()).toEqual(new Map([['b1', 'person-disabled']]));
  const enabled = await change(store, (transaction) => enable(transaction, NOW, 'bob@example.com', BY));
  expect(enabled).toEqual({ email: 'bob@example.com', changed: true, endsAt: NOW + 9 });
  expect(await isActive(store, 'b1')).toBe(false);
  // With 'person-disabled' their programs would take a new sign-in for useless.
  expect(await reasons()).toEqual(new Map([['b1', 'ended-by-administrator']]));
  expect(await store.selectFrom('keys').where('removed_at', 'is', null).select('id').execute()).toHaveLength(3);
  const before = await auditOf(store);
  expect(before.at(-1)).toEqual(bobsEvent('person-enabled'));
  const again = await change(store, (transaction) => enable(transaction, NOW, 'bob@example.com', BY));
  expect(again.changed).toBe(false);
  expect(await auditOf(store)).toEqual(before);
});

test('removing a person deletes them with all that is theirs, and the audit trail keeps the history', async () => {
  const store = await team();
  await store.updateTable('keys').set({ removed_at: 5 }).where('id', '=', 'bob-1').execute();
  await store.insertInto('keys').values(keyRow('bob-3', 'bob')).execute();
  const removed = await change(store, (transaction) => remove(transaction, NOW, 'bob@example.com', BY));
  expect(removed).toMatchObject({ email: 'bob@example.com', keys: 2, browsers: 1, invitations: 1 });
  expect(removed.sessions.map(({ id }) => id)).toEqual(['b1', 'b2']);
  expect(await idsOf(store, 'people')).toEqual(['alice']);
  expect(await idsOf(store, 'keys')).toEqual(['alice-1']);
  expect(await idsOf(store, 'sessions')).toEqual(['a']);
  expect(await idsOf(store, 'web_sessions')).toEqual(['wa']);
  expect(await revokedInvitations(store)).toEqual(['ib']);
  expect(await auditOf(store)).toEqual([
    ...bobsSessions('person-removed'),
    bobsEvent('web-session-ended', { reason: 'person-removed', key_id: 'bob-2', session_id: 'wb' }),
    bobsEvent('invitation-revoked', { reason: 'person-removed' }),
    bobsEvent('person-removed', { detail: { sudoUser: 'admin', role: 'member', keys: 2 } }),
  ]);
});

describe('removing a key', () => {
  const remove_ = (store: Store, address: string, named: string) =>
    change(store, (transaction) => removeNamedKey(transaction, NOW, address, named, BY));

  test('ends the sessions that it began, and no others', async () => {
    const store = await team();
    expect(await remove_(store, 'bob@example.com', 'Key 2')).toEqual({
      id: 'bob-2',
      name: 'Key 2',
      email: 'bob@example.com',
      left: 1,
      sessions: [{ id: 'b2', email: 'bob@example.com', machine: 'bob-laptop' }],
      browsers: 1,
      invitations: 0,
    });
    expect([await isActive(store, 'b1'), await isActive(store, 'b2')]).toEqual([true, false]);
    expect(await auditOf(store)).toEqual([
      bobsEvent('key-removed', { key_id: 'bob-2', detail: { sudoUser: 'admin', name: 'Key 2', model: null } }),
      bobsEvent('session-ended', { reason: 'key-removed', key_id: 'bob-2', session_id: 'b2' }),
      bobsEvent('web-session-ended', { reason: 'key-removed', key_id: 'bob-2', session_id: 'wb' }),
    ]);
  });

  test('may take the last one away, works once, and never takes another person’s', async () => {
    const store = await team();
    expect((await remove_(store, 'bob@example.com', 'bob-1')).left).toBe(1);
    expect((await remove_(store, 'bob@example.com', 'bob-2')).left).toBe(0);
    for (const id of ['bob-1', 'alice-1']) {
      await expect(remove_(store, 'bob@example.com', id)).rejects.toMatchObject({ kind: 'key-unknown' });
    }
    expect(await isActive(store, 'a')).toBe(true);
  });

  test('names it by its name, its ID, or the beginning of its ID', async () => {
    const store = await newStore();
    await addPerson(store, 'alice@example.com', 0);
    for (const [key, name] of [
      ['AbCdEf111', 'Work key'],
      ['AbCdEf222', 'work KEY'],
      ['ZyXwVu333', 'AbCdEf222'],
    ] as const) {
      await store
        .insertInto('keys')
        .values(keyRow(key, 'alice', { name }))
        .execute();
    }
    for (const named of ['WORK KEY', 'AbCdEf', 'ZyXwV', '', 'no such']) {
      await expect(remove_(store, 'alice@example.com', named)).rejects.toMatchObject({
        kind: 'key-unknown',
        fix: expect.stringContaining('"Work key", "work KEY"'),
      });
    }
    // A name goes before an ID.
    expect((await remove_(store, 'alice@example.com', 'AbCdEf222')).id).toBe('ZyXwVu333');
    expect((await remove_(store, 'alice@example.com', 'AbCdEf222')).id).toBe('AbCdEf222');
    expect((await remove_(store, 'alice@example.com', 'WORK KEY')).id).toBe('AbCdEf111');
  });
});
