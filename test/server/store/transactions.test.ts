import { expect, test } from 'vitest';
import type { Store } from '../../../server/store/store.ts';
import { newDatabaseUrl, openStore } from '../engines.ts';

/** One database, opened twice as by two servers. */
async function twoStores(): Promise<[Store, Store]> {
  const url = await newDatabaseUrl();
  return [await openStore(url), await openStore(url)];
}

const addChallenge = (store: Store, name: string) =>
  store
    .insertInto('challenges')
    .values({ challenge_hash: name, purpose: 'sign-in', binding: 'x', expires_at: 1 })
    .execute();
const challenges = async (store: Store) =>
  (await store.selectFrom('challenges').select('challenge_hash').execute()).map((row) => row.challenge_hash);

test('others do not see what a transaction has not committed, and can read without waiting for it', async () => {
  const [store, other] = await twoStores();
  await expect(
    store.transaction().execute(async (transaction) => {
      await addChallenge(transaction, 'mine');
      expect(await challenges(transaction)).toEqual(['mine']);
      expect(await challenges(store)).toEqual([]);
      expect(await challenges(other)).toEqual([]);
      throw new Error('undone');
    }),
  ).rejects.toThrow('undone');
  await addChallenge(store, 'next');
  expect(await challenges(other)).toEqual(['next']);
});

test('what a transaction has read stays true until it ends: another one waits, and then sees all of it', async () => {
  const [store, other] = await twoStores();
  const order: string[] = [];
  let others: Promise<unknown> | undefined;
  await store.transaction().execute(async (transaction) => {
    expect(await challenges(transaction)).toEqual([]);
    others = other.transaction().execute(async (waiting) => {
      expect((await challenges(waiting)).sort()).toEqual(['first', 'second']);
      order.push('the other has its turn');
      await addChallenge(waiting, 'other’s');
    });
    await addChallenge(transaction, 'first');
    // Round trips to the database, in which the other could begin.
    for (let turn = 0; turn < 20; turn += 1) expect(await challenges(transaction)).toEqual(['first']);
    await addChallenge(transaction, 'second');
    order.push('the first ends');
  });
  await others;
  expect(order).toEqual(['the first ends', 'the other has its turn']);
  expect((await challenges(store)).sort()).toEqual(['first', 'other’s', 'second']);
});

test('a sum that many transactions read and then write is right', async () => {
  const [store, other] = await twoStores();
  await store
    .insertInto('audit_windows')
    .values({ began_at: 1, event: '', problem: '', email: '', key_id: '', count: 0, last_at: 1, last_ip: null })
    .execute();
  const add = (to: Store) =>
    to.transaction().execute(async (transaction) => {
      const { count } = await transaction.selectFrom('audit_windows').select('count').executeTakeFirstOrThrow();
      await transaction
        .updateTable('audit_windows')
        .set({ count: count + 1 })
        .execute();
    });
  await Promise.all(Array.from({ length: 60 }, (_, index) => add(index % 2 === 0 ? store : other)));
  expect(await store.selectFrom('audit_windows').select('count').execute()).toEqual([{ count: 60 }]);
});

test('writes take turns, and none is lost', async () => {
  const [store, other] = await twoStores();
  const names = Array.from({ length: 40 }, (_, index) => `challenge ${index}`);
  await Promise.all(
    names.map((name, index) => {
      const which = index % 2 === 0 ? store : other;
      if (index % 4 < 2) return addChallenge(which, name);
      return which.transaction().execute((transaction) => addChallenge(transaction, name));
    }),
  );
  expect((await challenges(store)).sort()).toEqual(names.sort());
});

test('a transaction one of whose statements failed is undone', async () => {
  const [store] = await twoStores();
  const done = store.transaction().execute(async (transaction) => {
    await addChallenge(transaction, 'one');
    await addChallenge(transaction, 'one');
  });
  await expect(done).rejects.toThrow();
  expect(await challenges(store)).toEqual([]);
});

test.each(['committed', 'undone'])(
  'a statement that comes while its transaction is %s is not stored alone',
  async (how) => {
    const [store] = await twoStores();
    for (let steps = 0; steps < 12; steps += 1) {
      let late: Promise<unknown> | undefined;
      const done = store.transaction().execute(async (transaction) => {
        await addChallenge(transaction, `in time ${steps}`);
        // Nobody waits for it.
        late = (async () => {
          for (let step = 0; step < steps; step += 1) await undefined;
          await addChallenge(transaction, `late ${steps}`);
        })();
        late.catch(() => {});
        if (how === 'undone') throw new Error('undone');
      });
      await done.catch(() => {});
      await late?.catch(() => {});
    }
    const stored = await challenges(store);
    // What came in time may be there, with what came just before the end.
    if (how === 'undone') expect(stored).toEqual([]);
    else for (const name of stored) expect(stored).toContain(name.replace('late', 'in time'));
  },
);
