import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type ChainedFields, chainHash } from '../../../server/audit/chain.ts';
import { exportRows, type Gap } from '../../../server/audit/export.ts';
import { rowJson } from '../../../server/audit/json.ts';
import type { Row } from '../../../server/audit/rows.ts';
import { verifyTrail } from '../../../server/audit/verify.ts';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import type { Store } from '../../../server/store/store.ts';
import { cleanEnvironment } from '../../support/clean-environment.ts';
import { newDatabaseUrl, newStore, openStore } from '../engines.ts';
import { addAudit, emptyAudit } from '../rows.ts';
import { tamper } from './tampering.ts';

const add = (store: Store, count: number) =>
  addAudit(store, 1, ...Array.from({ length: count }, () => ({ event: 'signed-in' as const, actor: 'a' })));

async function read(store: Store, cursor: number, limit?: number): Promise<{ rows: Row[]; gaps: Gap[] }> {
  const found: { rows: Row[]; gaps: Gap[] } = { rows: [], gaps: [] };
  for await (const { rows, gaps } of exportRows(store, cursor, limit)) {
    found.rows.push(...rows);
    found.gaps.push(...gaps);
  }
  return found;
}

const ids = async (...args: Parameters<typeof read>) => (await read(...args)).rows.map(({ id }) => id);

test('an export begins after its cursor, and ends at the last row or its limit', async () => {
  const store = await newStore();
  expect(await ids(store, 0)).toEqual([]);
  await add(store, 1_203);
  const all = Array.from({ length: 1_203 }, (_, index) => index + 1);
  expect(await ids(store, 0)).toEqual(all);
  expect(await ids(store, 1_200)).toEqual([1_201, 1_202, 1_203]);
  expect(await ids(store, 1_203)).toEqual([]);
  expect(await ids(store, 0, 1)).toEqual([1]);
  expect(await ids(store, 100, 500)).toEqual(all.slice(100, 600));
  expect(await ids(store, 100, 501)).toEqual(all.slice(100, 601));
  await expect(ids(store, 1_204)).rejects.toMatchObject({ kind: 'cursor-ahead' });
});

/** Another program that writes when it is told to. */
function startWriter(url: string, name: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'write-rows.ts'), url, name], {
    env: cleanEnvironment({}),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** Begins a transaction, and waits until it has ended. */
    write: async () => {
      child.stdin.write('\n');
      expect((await answers.next()).value).toBe('done');
    },
  };
}

test('whoever follows by cursor gets each row once and in its order, while several programs write', async () => {
  const url = await newDatabaseUrl();
  const store = await openStore(url);
  const names = ['one', 'two', 'three', 'four'];
  const writers = names.map((name) => startWriter(url, name));
  const turns = Array.from({ length: 30 }, (_, turn) => turn);
  const got: Row[] = [];
  for (const _ of turns) {
    let writing = true;
    const written = Promise.all(writers.map(({ write }) => write())).finally(() => {
      writing = false;
    });
    for (let last = false; !last; ) {
      last = !writing;
      const { rows, gaps } = await read(store, got.at(-1)?.id ?? 0, 3);
      expect(gaps).toEqual([]);
      got.push(...rows);
      if (rows.length > 0) last = false;
      await setImmediate();
    }
    await written;
  }
  // Turns 2, 5, 8 … of each are undone; the others have 1, 2, 3 or 4 rows.
  const done = turns.filter((turn) => turn % 3 !== 2);
  const each = done.flatMap((turn) => Array.from({ length: 1 + (turn % 4) }, (_, index) => `${turn}.${index}`));
  expect(got.map(({ id }) => id)).toEqual(Array.from({ length: names.length * each.length }, (_, index) => index + 1));
  for (const name of names) {
    const own = got.filter(({ actor }) => actor === name).map(({ detail }) => JSON.parse(detail).name);
    expect(own).toEqual(each);
  }
  expect((await readSnapshot(store, verifyTrail)).fault).toBeUndefined();
});

test('rows that are gone are told: deleted for their age, or missing', async () => {
  const url = await newDatabaseUrl();
  const store = await openStore(url);
  await add(store, 6);
  await emptyAudit(store);
  await add(store, 6);
  // A first export knows of no rows before.
  expect((await read(store, 0)).gaps).toEqual([]);
  expect((await read(store, 6)).gaps).toEqual([]);
  expect((await read(store, 2)).gaps).toEqual([{ fromId: 3, toId: 6, deleted: true }]);
  await tamper(url, 'delete from audit where id in (9, 10)');
  expect((await read(store, 0)).gaps).toEqual([{ fromId: 9, toId: 10, deleted: false }]);
});

test('whoever has the lines can follow the chain without the database', async () => {
  const store = await newStore();
  await addAudit(
    store,
    1_800_000_000_123,
    { event: 'signed-in', actor: 'alice@example.com', subject: 'alice@example.com', machine: 'läptop', sessionId: 's' },
    { event: 'invited', actor: 'cli:root', detail: { role: 'member', replaceKeys: false, endsAt: null } },
    { event: 'session-ended', actor: 'x', reason: 'signed-out', from: { ip: '192.0.2.1', requestId: 'r' }, keyId: 'k' },
  );
  const lines = (await read(store, 0)).rows.map((row) => JSON.stringify(rowJson(row)));
  let hash = '';
  for (const line of lines) {
    const { at, keyId, sessionId, requestId, detail, hash: found, ...same } = JSON.parse(line);
    const fields: ChainedFields = {
      ...same,
      at: Date.parse(at),
      key_id: keyId,
      session_id: sessionId,
      request_id: requestId,
      detail: JSON.stringify(detail),
    };
    hash = chainHash(hash, fields);
    expect(found).toBe(hash);
  }
  expect(lines).toHaveLength(3);
});
