import { expect, test } from 'vitest';
import { setEndDate } from '../../../server/people/set-end-date.ts';
import { addPerson, auditOf, BY, change, NOW, newStore } from './store.ts';

test('an end date is set and taken away again, each with its audit row, and cannot be in the past', async () => {
  const store = await newStore();
  await addPerson(store, 'bob@example.com', 1);
  const set = (endsAt: number | null) =>
    change(store, (transaction) => setEndDate(transaction, NOW, 'bob@example.com', endsAt, BY));
  const result = { email: 'bob@example.com', disabled: false };
  expect(await set(NOW + 1)).toEqual({ ...result, changed: true, endsAt: NOW + 1 });
  expect(await set(NOW + 1)).toEqual({ ...result, changed: false, endsAt: NOW + 1 });
  await expect(set(NOW)).rejects.toMatchObject({ kind: 'option-refused', fix: expect.stringContaining('disable') });
  expect(await set(null)).toEqual({ ...result, changed: true, endsAt: null });
  expect(await set(null)).toEqual({ ...result, changed: false, endsAt: null });
  const row = { event: 'person-end-set', actor: 'cli:root', subject: 'bob@example.com' };
  expect(await auditOf(store)).toEqual([
    { ...row, detail: { sudoUser: 'admin', endsAt: NOW + 1 } },
    { ...row, detail: { sudoUser: 'admin', endsAt: null } },
  ]);
});
