import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { By } from '../../../server/audit/audit.ts';
import { disable } from '../../../server/people/disable.ts';
import { remove } from '../../../server/people/remove.ts';
import { demote, promote } from '../../../server/people/roles.ts';
import { setEndDate } from '../../../server/people/set-end-date.ts';
import type { StoreTransaction } from '../../../server/store/store.ts';
import { newDatabaseUrl } from '../engines.ts';
import { addPerson, auditOf, BY, change, NOW, newStore } from './store.ts';

type Change = (transaction: StoreTransaction, now: number, address: string, by: By) => Promise<unknown>;

const changes: [string, Change][] = [
  ['removed', remove],
  ['demoted', demote],
  ['disabled', disable],
  ['given an end date', (transaction, now, address, by) => setEndDate(transaction, now, address, now + 1, by)],
];

const others: [string, object, number, boolean][] = [
  ['there is another owner', {}, 1, true],
  ['the other owner has no key', {}, 0, false],
  ['the other owner is disabled', { disabled_at: 5 }, 1, false],
  ['the other owner’s end date has come', { ends_at: NOW }, 1, false],
  ['the other owner’s end date will come', { ends_at: NOW + 99 }, 1, false],
  ['the other one is only a member', { role: 'member' }, 1, false],
];

describe.each(changes)('an owner is %s', (_, change_) => {
  test.each(others)('if %s: %j, %i keys: %j', async (_name, other, keys, allowed) => {
    const store = await newStore();
    await addPerson(store, 'alice@example.com', 1, { role: 'owner' });
    await addPerson(store, 'olga@example.com', keys, { role: 'owner', ...other });
    const done = change(store, (transaction) => change_(transaction, NOW, 'alice@example.com', BY));
    if (allowed) return void (await done);
    await expect(done).rejects.toMatchObject({
      kind: 'last-owner',
      what: expect.stringContaining('alice@example.com'),
    });
    expect(await auditOf(store)).toEqual([]);
    const alice = store.selectFrom('people').where('id', '=', 'alice').select(['role', 'disabled_at', 'ends_at']);
    expect(await alice.execute()).toEqual([{ role: 'owner', disabled_at: null, ends_at: null }]);
  });

  test('if the last owner’s own keys are gone: no', async () => {
    const store = await newStore();
    await addPerson(store, 'alice@example.com', 1, { role: 'owner' });
    await store.updateTable('keys').set({ removed_at: 1 }).execute();
    const done = change(store, (transaction) => change_(transaction, NOW, 'alice@example.com', BY));
    await expect(done).rejects.toMatchObject({ kind: 'last-owner' });
  });

  test('if the owner is shut out already, or is no owner, even if nobody else can act: yes', async () => {
    const store = await newStore();
    await addPerson(store, 'olga@example.com', 1, { role: 'owner', ends_at: NOW });
    await addPerson(store, 'bob@example.com', 1);
    for (const address of ['olga@example.com', 'bob@example.com']) {
      await change(store, (transaction) => change_(transaction, NOW, address, BY));
    }
  });
});

test('the last owner’s end date can be later or gone, but not sooner', async () => {
  const store = await newStore();
  await addPerson(store, 'alice@example.com', 1, { role: 'owner', ends_at: NOW + 50 });
  const end = (endsAt: number | null) =>
    change(store, (transaction) => setEndDate(transaction, NOW, 'alice@example.com', endsAt, BY));
  await expect(end(NOW + 49)).rejects.toMatchObject({ kind: 'last-owner' });
  expect(await end(NOW + 51)).toMatchObject({ changed: true });
  expect(await end(null)).toMatchObject({ changed: true, endsAt: null });
});

test('roles change once, with an audit row each', async () => {
  const store = await newStore();
  await addPerson(store, 'alice@example.com', 1, { role: 'owner' });
  await addPerson(store, 'bob@example.com', 1);
  const give = (how: typeof promote) => change(store, (transaction) => how(transaction, NOW, 'bob@example.com', BY));
  const given = { email: 'bob@example.com', state: 'active', invitations: 0 };
  expect(await give(demote)).toEqual({ ...given, role: 'member', changed: false });
  expect(await give(promote)).toEqual({ ...given, role: 'owner', changed: true });
  expect(await give(promote)).toEqual({ ...given, role: 'owner', changed: false });
  expect(await give(demote)).toEqual({ ...given, role: 'member', changed: true });
  expect((await auditOf(store)).map(({ event }) => event)).toEqual(['person-promoted', 'person-demoted']);
});

/** Another process, which demotes the person of each line that it reads, and answers with what happened. */
function demoter(url: string): (email: string) => Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'demoter.ts'), url], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout });
  return async (email) => {
    const answer = once(lines, 'line');
    child.stdin.write(`${email}\n`);
    return String((await answer)[0]);
  };
}

test('of two processes that demote the two last owners at the same time, exactly one succeeds', async () => {
  const url = await newDatabaseUrl();
  const store = await newStore(url);
  await addPerson(store, 'alice@example.com', 1, { role: 'owner' });
  await addPerson(store, 'olga@example.com', 1, { role: 'owner' });
  const [one, two] = [demoter(url), demoter(url)];
  for (let round = 1; round <= 50; round += 1) {
    const answers = await Promise.all([one('alice@example.com'), two('olga@example.com')]);
    expect([round, answers.toSorted()]).toEqual([round, ['done', 'last-owner']]);
    const owners = await store.selectFrom('people').where('role', '=', 'owner').select('id').execute();
    expect(owners).toHaveLength(1);
    await store.updateTable('people').set({ role: 'owner' }).execute();
  }
  expect(await auditOf(store)).toHaveLength(50);
});
