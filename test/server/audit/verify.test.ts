import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { chainHash } from '../../../server/audit/chain.ts';
import { type Verdict, verifyTrail } from '../../../server/audit/verify.ts';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import type { Store } from '../../../server/store/store.ts';
import { engineUnderTest, makeStore, newDatabaseUrl, newStore, openStore } from '../engines.ts';
import { addAudit } from '../rows.ts';
import { tamper, verdictAfter } from './tampering.ts';

const ROWS = 40;

/** A trail of rows that all differ. */
let whole: Store;
beforeAll(async () => {
  const made = await makeStore();
  whole = made.store;
  await fill(whole, ROWS);
  return made.close;
});

async function fill(store: Store, count: number): Promise<void> {
  await addAudit(
    store,
    1_800_000_000_000,
    ...Array.from({ length: count }, (_, index) => ({
      event: 'key-renamed' as const,
      actor: 'alice@example.com',
      subject: 'alice@example.com',
      from: { ip: '192.0.2.1', requestId: `request ${index}` },
      machine: 'laptop',
      keyId: 'key',
      sessionId: 'session',
      reason: 'some',
      detail: { name: `name ${index}` },
    })),
  );
}

const verdict = (...statements: string[]) => verdictAfter(whole, engineUnderTest, statements);
const verdictOf = (store: Store) => readSnapshot(store, verifyTrail);

/** The statements that give rows other numbers. */
const renumber = (...moves: [from: number, to: number][]) => [
  ...moves.map(([from, to]) => `update audit set id = ${-to} where id = ${from}`),
  'update audit set id = -id where id < 0',
];
const [first, last] = [1, ROWS];
const COLUMNS = [
  'id',
  'at',
  'event',
  'result',
  'reason',
  'actor',
  'subject',
  'ip',
  'machine',
  'key_id',
  'session_id',
  'request_id',
  'detail',
  'hash',
];
const columns = (values: Record<string, string>) =>
  `insert into audit select ${COLUMNS.map((column) => values[column] ?? column).join()} from audit where id = 17`;

test('a trail that nobody touched is whole', async () => {
  const { base, head, rows, fault } = await verdictOf(whole);
  expect({ base, rows, fault }).toEqual({ base: { id: 0, hash: '' }, rows: ROWS, fault: undefined });
  expect(head).toEqual({ id: ROWS, hash: expect.stringMatching(/^[\w-]{43}$/) });
});

test('an empty trail is whole', async () => {
  const { rows, fault } = await verdictOf(await newStore());
  expect([rows, fault]).toEqual([0, undefined]);
});

describe('it is found when somebody', () => {
  const cases: [string, string[], Verdict['fault']][] = [
    ['changes a row', [`update audit set actor = 'bob@example.com' where id = 17`], { kind: 'changed', id: 17 }],
    ['changes the first row', [`update audit set at = at + 1 where id = ${first}`], { kind: 'changed', id: first }],
    ['changes the last row', [`update audit set ip = null where id = ${last}`], { kind: 'changed', id: last }],
    ['changes neighbours', [`update audit set reason = '' where id in (17, 18)`], { kind: 'changed', id: 17 }],
    ['changes a hash', [`update audit set hash = '' where id = 17`], { kind: 'changed', id: 17 }],
    ['removes a row', ['delete from audit where id = 17'], { kind: 'missing', id: 17 }],
    ['removes the first rows', ['delete from audit where id <= 5'], { kind: 'missing', id: first }],
    ['removes the last rows', ['delete from audit where id > 35'], { kind: 'missing', id: 36 }],
    ['removes all rows', ['delete from audit'], { kind: 'missing', id: first }],
    [
      'removes rows and numbers the others anew',
      ['delete from audit where id between 17 and 19', 'update audit set id = id - 3 where id > 19'],
      { kind: 'missing', id: 17 },
    ],
    ['swaps two neighbours', renumber([17, 18], [18, 17]), { kind: 'reordered', id: 17, writtenAs: 18 }],
    ['swaps two distant rows', renumber([5, 30], [30, 5]), { kind: 'reordered', id: 5, writtenAs: 30 }],
    ['swaps the first two', renumber([1, 2], [2, 1]), { kind: 'reordered', id: 1, writtenAs: 2 }],
    [
      'turns a series round',
      renumber(...Array.from({ length: 10 }, (_, index): [number, number] => [10 + index, 19 - index])),
      { kind: 'reordered', id: 10, writtenAs: 19 },
    ],
    ['adds a row at the end', [columns({ id: String(last + 1) })], { kind: 'added', id: last + 1 }],
    ['adds rows after a gap', [columns({ id: String(last + 10) })], { kind: 'added', id: last + 10 }],
    [
      'adds a row in the middle and numbers the others anew',
      [
        'update audit set id = -(id + 1) where id >= 20; update audit set id = -id where id < 0',
        columns({ id: '20' }),
        'update audit_head set last_id = last_id + 1',
      ],
      { kind: 'added', id: 20 },
    ],
    ['adds a row before the first', [columns({ id: '-1' })], { kind: 'added', id: -1 }],
    ['sets the head back', ['update audit_head set last_id = 30'], { kind: 'head', id: 31 }],
    ['changes the head’s hash', [`update audit_head set last_hash = ''`], { kind: 'head', id: last }],
    ['removes the head', ['delete from audit_head'], { kind: 'head', id: 0 }],
    ['changes the base’s hash', [`update audit_head set base_hash = 'x'`], { kind: 'base', id: 0 }],
    [
      'removes the first rows and moves the base along',
      [
        'update audit_head set base_id = 5, base_hash = (select hash from audit where id = 5)',
        'delete from audit where id <= 5',
      ],
      { kind: 'base', id: 5 },
    ],
  ];
  test.each(cases)('%s', async (_, statements, fault) => {
    expect((await verdict(...statements)).fault).toEqual(fault);
  });

  test('adds a row in the middle whose hash fits, and numbers the others anew', async () => {
    const rows = await whole.selectFrom('audit').selectAll().where('id', 'in', [19, 20]).orderBy('id').execute();
    const [before, row] = rows;
    if (before === undefined || row === undefined) throw new Error('no such rows');
    const hash = chainHash(before.hash, { ...row, actor: 'eve' });
    const { fault } = await verdict(
      'update audit set id = -(id + 1) where id >= 20; update audit set id = -id where id < 0',
      columns({
        id: '20',
        at: String(row.at),
        actor: `'eve'`,
        request_id: `'request 19'`,
        detail: `'${row.detail}'`,
        hash: `'${hash}'`,
      }),
      'update audit_head set last_id = last_id + 1',
    );
    expect(fault).toEqual({ kind: 'added', id: 20 });
  });

  test('does any one thing to any row', async () => {
    // All that hold any text.
    const text = fc.constantFrom(...COLUMNS.filter((column) => !['id', 'at', 'result'].includes(column)));
    const row = fc.integer({ min: 1, max: ROWS });
    const deeds = fc.oneof(
      fc.record({ row, column: text }).map((one) => [`update audit set ${one.column} = 'x' where id = ${one.row}`]),
      fc
        .record({ row, column: text })
        .map((one) => [`update audit set ${one.column} = ${one.column} || ' ' where id = ${one.row}`]),
      row.map((id) => [`update audit set result = 'refused' where id = ${id}`]),
      row.map((id) => [`delete from audit where id = ${id}`]),
      fc.uniqueArray(row, { minLength: 2, maxLength: 2 }).map(([a = 1, b = 2]) => renumber([a, b], [b, a])),
    );
    await fc.assert(
      fc.asyncProperty(deeds, async (statements) => {
        expect((await verdict(...statements)).fault).toBeDefined();
      }),
      { numRuns: 40 },
    );
  });
});

test('whatever text an event brings, its row can be proven', async () => {
  const store = await newStore();
  const text = fc.string({ unit: 'binary' });
  const torn = fc.constantFrom('\ud800', 'a\udc00b', '\0', '\u2028', '"\\');
  await fc.assert(
    fc.asyncProperty(fc.oneof(text, torn), fc.oneof(text, torn), async (one, other) => {
      await addAudit(store, 1, {
        event: 'key-renamed',
        actor: one,
        subject: other,
        machine: one,
        detail: { name: other },
      });
      expect((await readSnapshot(store, verifyTrail)).fault).toBeUndefined();
    }),
    { numRuns: 50 },
  );
});

test('a trail of many batches is followed across their borders', async () => {
  const url = await newDatabaseUrl();
  const store = await openStore(url);
  await fill(store, 6_001);
  expect(await readSnapshot(store, verifyTrail)).toMatchObject({ rows: 6_001 });
  for (const [id, rows] of [
    [6_001, 6_000],
    [4_001, 4_000],
    [2_000, 1_999],
  ] as const) {
    await tamper(url, `update audit set actor = 'x' where id = ${id}`);
    expect(await readSnapshot(store, verifyTrail)).toMatchObject({ rows, fault: { kind: 'changed', id } });
  }
});

test('rows that are written during the check belong to the next one', async () => {
  const store = await newStore();
  await fill(store, 10);
  const verdict = await readSnapshot(store, async (snapshot) => {
    await snapshot.selectFrom('audit_head').selectAll().execute();
    await fill(store, 10);
    return verifyTrail(snapshot);
  });
  expect([verdict.rows, verdict.fault]).toEqual([10, undefined]);
  expect((await readSnapshot(store, verifyTrail)).rows).toBe(20);
});
