import { expect, onTestFinished, test } from 'vitest';
import { statement } from '../../../server/store/statement.ts';
import { makeStore } from '../engines.ts';

const add = (built: () => void) =>
  statement((store, { name, ends }: { name: string; ends: number }) => {
    built();
    return store
      .insertInto('challenges')
      .values({ challenge_hash: name, purpose: 'sign-in', binding: 'x', expires_at: ends })
      .returning(['challenge_hash', 'expires_at']);
  });

test('a statement is built once, and runs with the values of each time, in transactions too', async () => {
  const { store, close } = await makeStore();
  onTestFinished(close);
  let times = 0;
  const put = add(() => {
    times += 1;
  });
  expect(await put(store, { name: 'a', ends: 1 })).toEqual([{ challenge_hash: 'a', expires_at: 1 }]);
  await store.transaction().execute((transaction) => put(transaction, { name: 'b', ends: 2 }));
  await expect(
    store.transaction().execute(async (transaction) => {
      await put(transaction, { name: 'undone', ends: 3 });
      throw new Error('changed its mind');
    }),
  ).rejects.toThrow('changed its mind');
  const rows = await store
    .selectFrom('challenges')
    .select(['challenge_hash', 'expires_at'])
    .orderBy('expires_at')
    .execute();
  expect(rows).toEqual([
    { challenge_hash: 'a', expires_at: 1 },
    { challenge_hash: 'b', expires_at: 2 },
  ]);
  expect(times).toBe(1);
});

test('a value that is changed while the statement is built is an error: it would be the same for ever', async () => {
  const { store, close } = await makeStore();
  onTestFinished(close);
  const before = statement((db, { now }: { now: number }) =>
    db.deleteFrom('challenges').where('expires_at', '<', now - 1000),
  );
  await expect(before(store, { now: 5 })).rejects.toThrow('the value now is not known');
});
