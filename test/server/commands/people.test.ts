import { describe, expect, test } from 'vitest';
import { addKeys } from '../../../server/commands/keys.ts';
import { addPeople } from '../../../server/commands/people.ts';
import { addSessions } from '../../../server/commands/sessions.ts';
import type { Store } from '../../../server/store/store.ts';
import { addPerson, auditOf, ISSUER, newStore } from '../people/store.ts';
import { addAudit, sessionRow } from '../rows.ts';
import { newDatabase } from '../settings.ts';
import { commandsOf } from './run-command.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';
const SESSION = '3f2a9c1e-0000-4000-8000-000000000001';
const HOUR = 3600_000;

/** Alice is an owner; Bob has a key and a session, with which he got a token half an hour ago. */
async function team() {
  const file = newDatabase();
  const store = await newStore(`sqlite:${file}`);
  await addPerson(store, 'alice@example.com', 1, { role: 'owner' });
  await addPerson(store, 'bob@example.com', 1);
  const now = Date.now();
  const times = { auth_time: now - HOUR, expires_at: now + HOUR, machine: 'bobs-laptop' };
  await store
    .insertInto('sessions')
    .values(sessionRow(SESSION, 'bob', 'bob-1', times))
    .execute();
  await addAudit(store, now - HOUR / 2, {
    event: 'aws-token-issued',
    actor: 'bob@example.com',
    subject: 'bob@example.com',
    sessionId: SESSION,
    detail: { role: ROLE },
  });
  const settings = { VOUCH_ISSUER: ISSUER, VOUCH_DATABASE_URL: `sqlite:${file}` };
  return { store, run: commandsOf(settings, addPeople, addKeys, addSessions) };
}

const AWS =
  /AWS credentials issued before .+ last until .+ at the latest\.\nTo end those too: vouch-server aws-revoke bob@example\.com\n$/;

async function lastEvents(store: Store): Promise<string[]> {
  return (await auditOf(store)).slice(1).map(({ event }) => event);
}

describe('people list', () => {
  test('prints a table, and JSON with the place to go on from', async () => {
    const { run } = await team();
    const text = await run('people', 'list');
    expect(text.stdout).toMatch(
      /^ADDRESS +ROLE +KEYS +LAST SEEN +STATE\nalice@example\.com +owner +1 +never +active\nbob@example\.com +member +1 +\S+.* +active\n$/,
    );
    expect([text.code, text.stderr]).toEqual([0, '']);
    const first = JSON.parse((await run('people', 'list', '--limit', '1', '--json')).stdout);
    expect(first).toEqual({
      people: [
        {
          email: 'alice@example.com',
          role: 'owner',
          state: 'active',
          createdAt: '1970-01-01T00:00:00.001Z',
          disabledAt: null,
          endsAt: null,
          keyCount: 1,
          lastSeenAt: null,
        },
      ],
      next: expect.any(String),
    });
    const rest = JSON.parse((await run('people', 'list', '--after', first.next, '--json')).stdout);
    expect(rest).toMatchObject({ people: [{ email: 'bob@example.com', lastSeenAt: expect.any(String) }], next: null });
    const cut = await run('people', 'list', '--limit', '1');
    expect(cut.stderr).toBe(`There are more. The same command goes on with --after ${first.next}\n`);
  });

  const filters: [string[], string[]][] = [
    [['--no-key'], []],
    [['--one-key'], ['alice', 'bob']],
    [['--owners'], ['alice']],
    [['--disabled'], []],
    [['--not-seen-for', '1'], ['alice']],
    [['--search', 'BOB'], ['bob']],
  ];
  test.each(filters)('%j finds %j', async (options, names) => {
    const { run } = await team();
    const { people } = JSON.parse((await run('people', 'list', ...options, '--json')).stdout);
    expect(people.map(({ email }: { email: string }) => email.split('@')[0])).toEqual(names);
    if (names.length > 0) return;
    expect((await run('people', 'list', ...options)).stdout).toMatch(/^Nobody\. .*invite list\)\n$/);
  });

  const wrong = [
    ['--limit', '0'],
    ['--limit', '1001'],
    ['--limit', '1e2'],
    ['--search', ''],
    ['--not-seen-for', '-1'],
    ['--after', 'x'],
  ];
  test.each(wrong)('%s %j is wrong usage', async (...options) => {
    const { run } = await team();
    expect(await run('people', 'list', ...options)).toMatchObject({ code: 2, stdout: '' });
  });
});

test('people show prints everything, and the same as JSON', async () => {
  const { store, run } = await team();
  const before = JSON.parse((await run('people', 'show', 'bob@example.com', '--json')).stdout);
  // A script reads the same as from the lists, without the address.
  for (const which of ['keys', 'sessions']) {
    const listed = JSON.parse((await run(which, 'list', '--json')).stdout)[which];
    const bobs = listed.filter(({ email }: { email: string }) => email === 'bob@example.com');
    expect(before[which].map((one: object) => ({ email: 'bob@example.com', ...one }))).toEqual(bobs);
  }
  expect(before.sessions[0].lastRoleAt).toMatch(/Z$/);
  await run('people', 'disable', 'bob@example.com', '--reason', 'lost his laptop');
  await run('people', 'end-date', 'bob@example.com', '2099-12-31');
  const { stdout } = await run('people', 'show', 'bob@example.com');
  expect(stdout).toMatch(/^bob@example\.com\n {2}Role +member\n {2}State +disabled since .*: lost his laptop\n/);
  expect(stdout).toMatch(/\n {2}Last day +31 Dec 2099\n/);
  expect(stdout).toMatch(/\nKeys\n {2}NAME .*\n {2}Key 1 .* bob-1\n\nSessions\n {2}None\.\n/);
  expect(stdout).toMatch(/\n {2}\d\d:\d\d +person-disabled +cli:\S+ +lost his laptop\n/);
  expect(stdout).toMatch(/person-end-set +cli:\S+ +until 31 Dec 2099\n/);
  expect(stdout).not.toContain('aws-token-issued');
  expect(JSON.parse((await run('people', 'show', 'bob@example.com', '--json')).stdout)).toMatchObject({
    email: 'bob@example.com',
    state: 'disabled',
    disabledReason: 'lost his laptop',
    endsAt: new Date(2100, 0, 1).toISOString(),
    keyCount: 1,
    keys: [{ id: 'bob-1', name: 'Key 1' }],
    sessions: [],
    browsers: [],
    invitation: null,
    events: [{ event: 'person-end-set' }, { event: 'session-ended' }, { event: 'person-disabled' }],
  });
  await store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', 'bob-1').execute();
  expect((await run('people', 'show', 'bob@example.com')).stdout).toContain(
    'Keys\n  None. They need: vouch-server invite bob@example.com --replace-keys\n',
  );
});

test('people disable says what ended and what AWS still honours; again it changes nothing', async () => {
  const { store, run } = await team();
  const first = await run('people', 'disable', 'bob@example.com');
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/^Disabled bob@example\.com\.\nEnded 1 session \(bobs-laptop\)\.\n/);
  expect(first.stdout).toMatch(AWS);
  const before = await lastEvents(store);
  const again = await run('people', 'disable', 'bob@example.com');
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('is disabled already. Nothing has changed.')]);
  const json = JSON.parse((await run('people', 'disable', 'bob@example.com', '--json')).stdout);
  expect(json).toEqual({
    email: 'bob@example.com',
    changed: false,
    sessionsEnded: [],
    browserSessionsEnded: 0,
    invitationsVoided: 0,
    awsCredentialsUntil: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect(await lastEvents(store)).toEqual(before);
  expect(before).toEqual(['person-disabled', 'session-ended']);
});

test.each(['', ' ', 'two\nlines', '\u202ehidden', 'x'.repeat(201)])(
  'people disable takes no reason %j',
  async (reason) => {
    const { store, run } = await team();
    expect(await run('people', 'disable', 'bob@example.com', '--reason', reason)).toMatchObject({
      code: 2,
      stdout: '',
    });
    expect(await lastEvents(store)).toEqual([]);
  },
);

test('people enable, promote, demote and end-date say what is so now', async () => {
  const { run } = await team();
  const said = async (...args: string[]) => (await run('people', ...args)).stdout;
  const bob = 'bob@example.com';
  expect(await said('enable', bob)).toBe(`${bob} is not disabled. Nothing has changed.\n`);
  expect(await said('promote', bob)).toBe(`${bob} is now an owner.\n`);
  expect(await said('promote', bob)).toBe(`${bob} is an owner already. Nothing has changed.\n`);
  expect(await said('demote', bob)).toBe(`${bob} is now a member.\n`);
  expect(await said('end-date', bob, '2099-12-31')).toBe(
    `${bob} may sign in until the end of Thursday, 31 December 2099.\n`,
  );
  expect(await said('end-date', bob, '2099-12-31')).toMatch(/ Nothing has changed\.\n$/);
  expect(JSON.parse(await said('end-date', bob, 'none', '--json'))).toMatchObject({ changed: true, endsAt: null });
  await said('disable', bob);
  expect(await said('promote', bob)).toContain('still shut out');
  expect(await said('end-date', bob, '2099-12-31')).toContain(`vouch-server people enable ${bob}`);
  expect(await said('enable', bob)).toBe(`Enabled ${bob}. Their keys work again.\n`);
});

test('people enable says so when the last day is over', async () => {
  const { store, run } = await team();
  await store
    .updateTable('people')
    .set({ disabled_at: 1, ends_at: new Date(2026, 0, 1).getTime() })
    .where('id', '=', 'bob')
    .execute();
  const { stdout } = await run('people', 'enable', 'bob@example.com');
  expect(stdout).toMatch(/Their end date has come \(31 Dec 2025\).*\n.*people end-date bob@example\.com none\n$/);
});

test('people end-date says what ended with the last day that was over', async () => {
  const { store, run } = await team();
  await store.updateTable('people').set({ ends_at: 1 }).where('id', '=', 'bob').execute();
  const { stdout } = await run('people', 'end-date', 'bob@example.com', 'none');
  expect(stdout).toMatch(/^bob@example\.com has no end date\.\nEnded 1 session \(bobs-laptop\)\.\n/);
  expect(stdout).toMatch(AWS);
});

test('people remove asks first; a script must say --yes', async () => {
  const { store, run } = await team();
  const refused = await run('people', 'remove', 'bob@example.com');
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Add --yes.') });
  expect(await lastEvents(store)).toEqual([]);
  const { stdout } = await run('people', 'remove', 'bob@example.com', '--yes');
  expect(stdout).toMatch(/^Removed bob@example\.com, with 1 key\.\nEnded 1 session \(bobs-laptop\)\.\n/);
  expect(stdout).toMatch(AWS);
  expect(await lastEvents(store)).toEqual(['session-ended', 'person-removed']);
});

test('what cannot be done is refused with a reason, and the status 1', async () => {
  const { run } = await team();
  const unknown = await run('people', 'disable', 'bobb@example.com');
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    'vouch-server: Nobody here has the address "bobb@example.com".\n  Did you mean bob@example.com?\n',
  ]);
  const last = await run('people', 'demote', 'alice@example.com');
  expect([last.code, last.stderr]).toEqual([
    1,
    expect.stringMatching(/is the last owner.*\n.*\n.*people promote EMAIL\n$/),
  ]);
  expect(await run('people', 'end-date', 'bob@example.com', 'tomorrow')).toMatchObject({ code: 2 });
});

describe('keys', () => {
  test('are listed for everybody, or for one person', async () => {
    const { run } = await team();
    const all = await run('keys', 'list');
    expect(all.stdout).toMatch(/^ADDRESS +NAME +MODEL +ADDED +LAST USED +ID\nalice@.* alice-1\nbob@.* bob-1\n$/);
    const one = await run('keys', 'list', 'bob@example.com', '--json');
    expect(JSON.parse(one.stdout)).toEqual({
      keys: [
        {
          id: 'bob-1',
          email: 'bob@example.com',
          name: 'Key 1',
          model: null,
          createdAt: '1970-01-01T00:00:00.001Z',
          lastUsedAt: null,
        },
      ],
      next: null,
    });
    expect((await run('keys', 'list', '--not-used-for', '1', '--search', 'alice')).stdout.split('\n')).toHaveLength(3);
  });

  test('are removed with their sessions; without any left the person needs an invitation', async () => {
    const { store, run } = await team();
    const { code, stdout } = await run('keys', 'remove', 'bob@example.com', 'key 1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Removed the key "Key 1" of bob@example\.com\.\nEnded 1 session \(bobs-laptop\)\.\n/);
    expect(stdout).toContain('\n  vouch-server invite bob@example.com --replace-keys\n');
    expect(stdout).toMatch(AWS);
    expect(await lastEvents(store)).toEqual(['key-removed', 'session-ended']);
    const again = await run('keys', 'remove', 'bob@example.com', 'Key 1', '--json');
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('has no key "Key 1"') });
  });
});

describe('sessions', () => {
  test('are listed with their last roles', async () => {
    const { run } = await team();
    expect((await run('sessions', 'list')).stdout).toMatch(
      /^ID +ADDRESS +MACHINE +SINCE +UNTIL +LAST ROLE\n3f2a9c1e +bob@example\.com +bobs-laptop .* VouchDeveloper\n$/,
    );
    expect((await run('sessions', 'list', '--person', 'bob@example.com')).stdout).toContain(
      'VouchDeveloper in 123456789012',
    );
    expect((await run('sessions', 'list', '--person', 'alice@example.com')).stdout).toBe('Nobody is signed in.\n');
    expect(JSON.parse((await run('sessions', 'list', '--json')).stdout)).toMatchObject({
      sessions: [
        { id: SESSION, email: 'bob@example.com', machine: 'bobs-laptop', lastRole: ROLE, key: { id: 'bob-1' } },
      ],
      next: null,
    });
  });

  test.each([[['3f2a9c1e']], [[SESSION]], [['--person', 'bob@example.com']]])('are ended by %j', async (which) => {
    const { store, run } = await team();
    const { code, stdout } = await run('sessions', 'end', ...which);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Ended 1 session \(bobs-laptop\)\.\n/)]);
    expect(stdout).toMatch(AWS);
    expect((await auditOf(store)).slice(1)).toMatchObject([
      {
        event: 'session-ended',
        reason: 'ended-by-administrator',
        subject: 'bob@example.com',
        actor: expect.stringMatching(/^cli:./),
      },
    ]);
  });

  test('are all ended with --all --yes', async () => {
    const { run } = await team();
    expect(await run('sessions', 'end', '--all')).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse((await run('sessions', 'end', '--all', '--yes', '--json')).stdout)).toEqual({
      sessionsEnded: [{ id: SESSION, email: 'bob@example.com', machine: 'bobs-laptop' }],
      browserSessionsEnded: 0,
      awsCredentialsUntil: expect.any(String),
    });
    const again = await run('sessions', 'end', '--all', '--yes');
    expect(again.stdout).toMatch(/^There was no session to end\.\n/);
  });

  test.each([[[]], [['3f2a9c1e', '--all']], [['--person', 'bob@example.com', '--all']]])(
    '%j does not say which',
    async (which) => {
      const { store, run } = await team();
      expect(await run('sessions', 'end', ...which, '--yes')).toMatchObject({ code: 2, stdout: '' });
      expect(await lastEvents(store)).toEqual([]);
    },
  );

  test.each(['3f2a9c1', '4f2a9c1e', '%', "' or 1=1", ''])('%j names none', async (id) => {
    const { store, run } = await team();
    expect(await run('sessions', 'end', id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no session'),
    });
    expect(await lastEvents(store)).toEqual([]);
  });

  test('must be named by more characters when several IDs begin alike', async () => {
    const { store, run } = await team();
    const other = SESSION.replace(/1$/, '2');
    await store
      .insertInto('sessions')
      .values(sessionRow(other, 'bob', 'bob-1'))
      .execute();
    expect(await run('sessions', 'end', '3f2a9c1e')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('several'),
    });
    expect(await run('sessions', 'end', other)).toMatchObject({ code: 0 });
  });
});
