import { describe, expect, test } from 'vitest';
import { rolesUsed } from '../../../server/aws/outstanding.ts';
import { knownPerson } from '../../../server/people/known-person.ts';
import { type KeysFilter, listKeys } from '../../../server/people/list-keys.ts';
import { listPeople, type PeopleFilter } from '../../../server/people/list-people.ts';
import { showPerson } from '../../../server/people/show-person.ts';
import { listSessions } from '../../../server/sessions/list.ts';
import type { Store } from '../../../server/store/store.ts';
import { tamper } from '../audit/tampering.ts';
import { newDatabaseUrl } from '../engines.ts';
import { addAudit, keyRow, sessionRow } from '../rows.ts';
import { addPerson, DAY, NOW, newStore, webSessionRow } from './store.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

async function team(): Promise<Store> {
  const store = await newStore();
  await addPerson(store, 'alice@example.com', 2, { role: 'owner' });
  await addPerson(store, 'bob@example.com', 1, { disabled_at: NOW - DAY });
  await addPerson(store, 'carol@example.com', 0, { created_at: NOW - DAY });
  await addPerson(store, 'dave_100%@example.org', 1, { ends_at: NOW + DAY });
  await store
    .updateTable('keys')
    .set({ last_used_at: NOW - 40 * DAY })
    .where('person_id', '=', 'alice')
    .execute();
  await store
    .insertInto('keys')
    .values(keyRow('gone', 'carol', { removed_at: 5, last_used_at: 4 }))
    .execute();
  const ended = { auth_time: NOW - 2 * DAY, expires_at: NOW - DAY };
  await store
    .insertInto('sessions')
    .values(sessionRow('s', 'alice', 'alice-1', ended))
    .execute();
  return store;
}

/** Reads a list page by page. */
async function all<Row>(
  page: (after: string | undefined) => Promise<{ rows: Row[]; next: string | null }>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let after: string | undefined;
  do {
    const read = await page(after);
    rows.push(...read.rows);
    after = read.next ?? undefined;
  } while (after !== undefined);
  return rows;
}

describe('the list of people', () => {
  test('has each person’s role, state, number of keys, and when they were last seen', async () => {
    const { rows, next } = await listPeople(await team(), NOW, {}, { limit: 4 });
    expect(next).toBeNull();
    const rest = { createdAt: 1, disabledAt: null, endsAt: null };
    expect(rows).toEqual([
      { ...rest, email: 'alice@example.com', role: 'owner', state: 'active', keys: 2, lastSeenAt: NOW - 2 * DAY },
      {
        ...rest,
        email: 'bob@example.com',
        role: 'member',
        state: 'disabled',
        disabledAt: NOW - DAY,
        keys: 1,
        lastSeenAt: null,
      },
      {
        ...rest,
        email: 'carol@example.com',
        role: 'member',
        state: 'active',
        createdAt: NOW - DAY,
        keys: 0,
        lastSeenAt: 4,
      },
      {
        ...rest,
        email: 'dave_100%@example.org',
        role: 'member',
        state: 'active',
        endsAt: NOW + DAY,
        keys: 1,
        lastSeenAt: null,
      },
    ]);
  });

  const filters: [PeopleFilter, string][] = [
    [{ keys: 0 }, 'carol'],
    [{ keys: 1 }, 'bob dave_100%'],
    [{ disabled: true }, 'bob'],
    [{ owners: true }, 'alice'],
    [{ owners: true, disabled: true }, ''],
    // Carol was made yesterday: nobody can have seen her before.
    [{ notSeenSince: NOW - 3 * DAY }, 'bob dave_100%'],
    [{ notSeenSince: NOW - 2 * DAY }, 'alice bob dave_100%'],
    [{ search: 'EXAMPLE.COM' }, 'alice bob carol'],
    [{ search: '_100%@' }, 'dave_100%'],
    [{ search: 'a_i' }, ''],
    [{ search: '%' }, 'dave_100%'],
    [{ search: "\\' or 1 = 1 --" }, ''],
  ];
  test.each(filters)('with %j holds %s', async (filter, names) => {
    const { rows } = await listPeople(await team(), NOW, filter, { limit: 50 });
    expect(rows.map(({ email }) => email.split('@')[0]).join(' ')).toBe(names);
  });

  test('misses nobody and repeats nobody when people come and go between two pages', async () => {
    const store = await newStore();
    for (const name of ['b', 'd', 'f', 'h']) await addPerson(store, `${name}@example.com`, 0);
    let page = 0;
    const rows = await all(async (after) => {
      const read = await listPeople(store, NOW, {}, { limit: 2, after });
      page += 1;
      if (page === 1) {
        await addPerson(store, 'a@example.com', 0);
        await addPerson(store, 'e@example.com', 0);
        // The person that the next page begins after.
        await store.deleteFrom('people').where('id', '=', 'd').execute();
      }
      return read;
    });
    expect(rows.map(({ email }) => email[0]).join('')).toBe('bdefh');
  });

  test.each([
    '',
    'x',
    '{"a":1}',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('["a","b"]').toString('base64url'),
  ])('refuses the cursor %j', async (after) => {
    const read = listPeople(await newStore(), NOW, {}, { limit: 1, after });
    await expect(read).rejects.toMatchObject({ kind: 'option-refused' });
  });
});

describe('the list of keys', () => {
  test.each([[['a', 'b', 'c']], [['a', 1]], [{ length: 3 }]])('refuses the cursor %j', async (values) => {
    const after = Buffer.from(JSON.stringify(values)).toString('base64url');
    const read = listKeys(await newStore(), {}, { limit: 1, after });
    await expect(read).rejects.toMatchObject({ kind: 'option-refused' });
  });

  test('has everybody’s keys by address and age, in pages, without removed ones', async () => {
    const store = await team();
    // Of the same age, so that only the ID is left to sort by.
    await store
      .insertInto('keys')
      .values(keyRow('alice-0', 'alice', { created_at: 2 }))
      .execute();
    const rows = await all((after) => listKeys(store, {}, { limit: 1, after }));
    expect(rows.map(({ id }) => id)).toEqual(['alice-1', 'alice-0', 'alice-2', 'bob-1', 'dave_100%-1']);
    expect(rows[0]).toEqual({
      id: 'alice-1',
      email: 'alice@example.com',
      name: 'Key 1',
      model: null,
      createdAt: 1,
      lastUsedAt: NOW - 40 * DAY,
    });
  });

  const filters: [KeysFilter, string][] = [
    [{ personId: 'alice' }, 'alice-1 alice-2'],
    [{ search: 'bob@' }, 'bob-1'],
    [{ notUsedSince: NOW - 40 * DAY }, 'alice-1 alice-2 bob-1 dave_100%-1'],
    [{ notUsedSince: NOW - 41 * DAY }, 'bob-1 dave_100%-1'],
    [{ notUsedSince: 0 }, ''],
  ];
  test.each(filters)('with %j holds %s', async (filter, ids) => {
    const { rows } = await listKeys(await team(), filter, { limit: 50 });
    expect(rows.map(({ id }) => id).join(' ')).toBe(ids);
  });
});

describe('the list of sessions', () => {
  test('has those that can be used, the newest first, with the last role that they had a token for', async () => {
    const store = await team();
    await addPerson(store, 'erin@example.com', 1, { ends_at: NOW });
    const rows = [
      sessionRow('one', 'alice', 'alice-1', { auth_time: 5, expires_at: NOW + 1, machine: 'laptop' }),
      sessionRow('two', 'alice', 'alice-2', { auth_time: 7 }),
      sessionRow('same', 'alice', 'alice-2', { auth_time: 7 }),
      sessionRow('dave', 'dave_100%', 'dave_100%-1', { auth_time: 6 }),
      sessionRow('over', 'alice', 'alice-1', { expires_at: NOW }),
      sessionRow('revoked', 'alice', 'alice-1', { revoked_at: 1 }),
      sessionRow('disabled', 'bob', 'bob-1'),
      sessionRow('ended', 'erin', 'erin-1'),
    ];
    await store.insertInto('sessions').values(rows).execute();
    const token = (at: number, sessionId: string, role: string) =>
      addAudit(store, at, { event: 'aws-token-issued', actor: 'alice@example.com', sessionId, detail: { role } });
    await token(1, 'one', 'arn:aws:iam::123456789012:role/First');
    await token(2, 'one', ROLE);
    await addAudit(store, 3, { event: 'signed-in', actor: 'alice@example.com', sessionId: 'one' });
    const ids = async (personId?: string) =>
      (await all((after) => listSessions(store, NOW, personId, { limit: 1, after }))).map(({ id }) => id);
    expect(await ids()).toEqual(['same', 'two', 'dave', 'one']);
    expect(await ids('alice')).toEqual(['same', 'two', 'one']);
    const { rows: shown } = await listSessions(store, NOW, 'alice', { limit: 9 });
    expect(shown.at(-1)).toEqual({
      id: 'one',
      email: 'alice@example.com',
      machine: 'laptop',
      key: { id: 'alice-1', name: 'Key 1', model: null },
      since: 5,
      until: NOW + 1,
      lastRole: ROLE,
      lastRoleAt: 2,
    });
    expect(shown[0]?.lastRole).toBeNull();
  });
});

describe('one person', () => {
  test('is shown with keys, sessions, the open invitation and the last events', async () => {
    const store = await team();
    await store
      .insertInto('sessions')
      .values(sessionRow('one', 'alice', 'alice-1', { auth_time: 5 }))
      .execute();
    await store
      .insertInto('web_sessions')
      .values(webSessionRow('w', 'alice', 'alice-1', NOW))
      .execute();
    await store
      .insertInto('invitations')
      .values({
        id: 'i',
        code_hash: '',
        email: 'alice@example.com',
        role: 'member',
        replace_keys: 1,
        ends_at: null,
        invited_by: 'cli:root',
        created_at: 1,
        expires_at: NOW + 1,
        used_at: null,
        revoked_at: null,
      })
      .execute();
    for (let at = 1; at <= 12; at += 1) {
      const subject = at === 12 ? 'bob@example.com' : 'alice@example.com';
      await addAudit(store, at, { event: 'signed-in', actor: 'a', subject });
    }
    const shown = await showPerson(store, NOW, ' ALICE@example.com');
    expect(shown).toMatchObject({
      email: 'alice@example.com',
      role: 'owner',
      state: 'active',
      keys: 2,
      keyList: [{ id: 'alice-1' }, { id: 'alice-2' }],
      sessions: [{ id: 'one' }],
      browsers: [{ browser: 'Firefox on Linux', ip: null, seenAt: NOW }],
      invitation: { role: 'member', replaceKeys: true, invitedBy: 'cli:root', expiresAt: NOW + 1 },
      disabledText: null,
    });
    expect(shown.events.map(({ at }) => at)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    expect((await showPerson(store, NOW + 1, 'alice@example.com')).invitation).toBeNull();
  });

  test.each(['no JSON', 'null'])('is shown even if somebody has written %j as the detail of events', async (detail) => {
    const url = await newDatabaseUrl();
    const store = await newStore(url);
    await addPerson(store, 'alice@example.com', 1, { disabled_at: 1 });
    await addPerson(store, 'bob@example.com', 1);
    for (const name of ['alice', 'bob']) {
      await store
        .insertInto('sessions')
        .values(sessionRow(`${name}’s`, name, `${name}-1`))
        .execute();
      const about = { actor: 'cli:root', subject: `${name}@example.com`, sessionId: `${name}’s` };
      await addAudit(store, 1, { ...about, event: 'aws-token-issued' }, { ...about, event: 'person-disabled' });
    }
    await tamper(url, `update audit set detail = '${detail}'`);
    expect(await showPerson(store, NOW, 'alice@example.com')).toMatchObject({
      disabledText: detail === 'null' ? null : detail,
      events: [{ event: 'person-disabled' }],
    });
    expect((await showPerson(store, NOW, 'bob@example.com')).sessions).toMatchObject([{ lastRole: null }]);
    expect(await rolesUsed(store, 'bob@example.com', 0)).toEqual([]);
  });

  const unknown: [string, RegExp][] = [
    ['alcie@example.com', /^Did you mean alice@example\.com\?$/],
    ['alice@exmaple.com', /^Did you mean alice@example\.com\?$/],
    ['lice@example.com', /^Did you mean alice@example\.com\?$/],
    ['bob', /^Did you mean bob@example\.com\?$/],
    ['zoe@elsewhere.example', /people list/],
    ['', /people list/],
    ['%', /people list/],
    [`${'a'.repeat(5000)}\u001b[2J`, /people list/],
  ];
  test.each(unknown)('with the address %j is unknown', async (address, fix) => {
    const found = knownPerson(await team(), address);
    await expect(found).rejects.toMatchObject({
      kind: 'person-unknown',
      category: 'not-found',
      what: expect.stringMatching(/^Nobody here has the address "[\x20-\x7e]{0,64}"\.$/),
      fix: expect.stringMatching(fix),
    });
  });
});
