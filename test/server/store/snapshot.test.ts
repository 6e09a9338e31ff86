import { expect, test } from 'vitest';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import type { Store } from '../../../server/store/store.ts';
import { newDatabaseUrl, newStore, openStore } from '../engines.ts';

const add = (store: Store, name: string) =>
  store.insertInto('challenges').values({ challenge_hash: name, purpose: '', binding: '', expires_at: 1 }).execute();

const names = async (store: Store) =>
  (await store.selectFrom('challenges').select('challenge_hash').orderBy('challenge_hash').execute()).map(
    (row) => row.challenge_hash,
  );

test('a snapshot stays as it was while others write, and they need not wait for it', async () => {
  const url = await newDatabaseUrl();
  const [store, other] = [await openStore(url), await openStore(url)];
  await add(store, 'a');
  await readSnapshot(store, async (snapshot) => {
    expect(await names(snapshot)).toEqual(['a']);
    await add(store, 'b');
    await other.transaction().execute((transaction) => add(transaction, 'c'));
    expect(await names(snapshot)).toEqual(['a']);
    // Nor does it hold back other reads of the same process.
    expect(await names(store)).toEqual(['a', 'b', 'c']);
  });
  expect(await readSnapshot(store, names)).toEqual(['a', 'b', 'c']);
});

test('a snapshot cannot be written, and its error is passed on', async () => {
  const store = await newStore();
  await expect(readSnapshot(store, (snapshot) => add(snapshot, 'a'))).rejects.toThrow(/read-?only/);
  await add(store, 'b');
  expect(await names(store)).toEqual(['b']);
});
