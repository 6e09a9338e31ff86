import { beforeAll, expect, test } from 'vitest';
import { type AuditFilter, listAudit } from '../../../server/audit/list.ts';
import type { Store } from '../../../server/store/store.ts';
import { makeStore } from '../engines.ts';
import { addAudit } from '../rows.ts';

const [alice, bob] = ['alice@example.com', 'bob@example.com'];
let store: Store;

beforeAll(async () => {
  const made = await makeStore();
  store = made.store;
  const rows = [
    [10, { event: 'invited', actor: 'cli:root', subject: alice }],
    [20, { event: 'invited', actor: 'cli:root', subject: bob }],
    [30, { event: 'enrolled', actor: alice, subject: alice }],
    [40, { event: 'signed-in', actor: alice, subject: alice }],
    // Alice is an owner now.
    [50, { event: 'person-disabled', actor: alice, subject: bob }],
    // The clock was set back.
    [35, { event: 'signed-in', actor: bob, subject: bob }],
    [60, { event: 'session-ended', actor: 'cli:root', subject: alice }],
    [70, { event: 'sign-in-refused', actor: 'unknown' }],
  ] as const;
  for (const [at, entry] of rows) await addAudit(store, at, entry);
  return made.close;
});

const list = async (filter: AuditFilter, limit = 100) => (await listAudit(store, filter, limit)).map(({ id }) => id);

const cases: [AuditFilter, number[]][] = [
  [{}, [1, 2, 3, 4, 5, 6, 7, 8]],
  [{ since: 40 }, [4, 5, 7, 8]],
  [{ until: 40 }, [1, 2, 3, 6]],
  [{ since: 30, until: 50 }, [3, 4, 6]],
  [{ person: alice }, [1, 3, 4, 5, 7]],
  [{ person: bob }, [2, 5, 6]],
  [{ person: bob, since: 35, until: 50 }, [6]],
  [{ person: alice, event: 'signed-in' }, [4]],
  [{ person: alice, actor: 'cli:root' }, [1, 7]],
  [{ person: alice, actor: alice }, [3, 4, 5]],
  [{ person: bob, actor: alice, event: 'person-disabled' }, [5]],
  [{ event: 'invited' }, [1, 2]],
  [{ event: 'invited', since: 15 }, [2]],
  [{ event: 'invited', actor: alice }, []],
  [{ actor: 'cli:root' }, [1, 2, 7]],
  [{ actor: 'unknown', event: 'sign-in-refused' }, [8]],
  [{ person: 'nobody@example.com' }, []],
];

test.each(cases)('%j lists %j', async (filter, expected) => {
  expect(await list(filter)).toEqual(expected);
});

test('a limit keeps the latest', async () => {
  expect(await list({}, 3)).toEqual([6, 7, 8]);
  // By their times: the sixth is older.
  expect(await list({ since: 0 }, 4)).toEqual([4, 5, 7, 8]);
  expect(await list({ person: alice }, 2)).toEqual([5, 7]);
  expect(await list({ actor: 'cli:root' }, 1)).toEqual([7]);
});
