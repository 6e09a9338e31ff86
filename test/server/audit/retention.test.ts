import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { trimAudit } from '../../../server/audit/retention.ts';
import { verifyTrail } from '../../../server/audit/verify.ts';
import { sweeperFor } from '../../../server/serve.ts';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import { type FeatureContext, openContext } from '../feature-context.ts';
import { addAudit } from '../rows.ts';
import { tamper } from './tampering.ts';

const DAY = 24 * 3600_000;
const NOW = 20_000 * DAY;

let opened: FeatureContext;
beforeEach(async () => {
  opened = await openContext();
  onTestFinished(() => opened.close());
});

const store = () => opened.context.store;
const signer = () => ({ issuer: opened.context.config.issuer, signingKey: opened.context.keys.current() });
const trim = (days: number, now = NOW) => trimAudit(store(), signer(), days, now);
const rows = () => store().selectFrom('audit').selectAll().orderBy('id').execute();
const ids = async () => (await rows()).map(({ id }) => id);
const verdict = () => readSnapshot(store(), verifyTrail);

/** Adds rows of these ages in days, each in its turn. */
async function add(...ages: number[]): Promise<void> {
  for (const age of ages) await addAudit(store(), NOW - age * DAY, { event: 'signed-in', actor: 'a' });
}

describe('rows that are too old', () => {
  test('go, and a row tells of it', async () => {
    await add(500, 450, 400, 399, 0);
    const [, , third] = await rows();
    await trim(400);
    expect(await ids()).toEqual([4, 5, 6]);
    const { rows: count, base, fault } = await verdict();
    expect([count, base, fault]).toEqual([3, { id: 3, hash: third?.hash }, undefined]);
    const told = (await rows()).at(-1);
    expect(told).toMatchObject({ event: 'audit-trimmed', actor: 'server', at: NOW });
    const { signed, ...detail } = JSON.parse(told?.detail ?? '');
    expect(detail).toEqual({ fromId: 1, toId: 3, hash: third?.hash });
    expect(decodeJwt(signed)).toMatchObject({ id: 3, hash: third?.hash, iss: signer().issuer });
  });

  test('stay while a younger row is before them: the chain has one beginning', async () => {
    await add(500, 10, 450);
    await trim(400);
    expect(await ids()).toEqual([2, 3, 4]);
    await trim(9, NOW + DAY);
    expect(await ids()).toEqual([4, 5]);
    expect((await verdict()).fault).toBeUndefined();
  });

  test('are collected for a day', async () => {
    await add(402, 401, 400.5, 399.5, 0);
    await trim(401);
    expect(await ids()).toEqual([3, 4, 5, 6]);
    await trim(400);
    await trim(400, NOW + DAY - 1);
    expect(await ids()).toEqual([3, 4, 5, 6]);
    await trim(400, NOW + DAY);
    expect(await ids()).toEqual([5, 6, 7]);
    expect((await verdict()).fault).toBeUndefined();
  });

  test('also go on the next day if the clock was ahead at the last time', async () => {
    await add(500, 0);
    await trim(400, NOW + 30 * DAY);
    await add(450);
    await addAudit(store(), NOW - 450 * DAY, { event: 'signed-in', actor: 'a' });
    expect(await ids()).toEqual([2, 3, 4, 5]);
    await trim(7, NOW + 60 * DAY);
    expect((await verdict()).fault).toBeUndefined();
  });

  test('leave nothing if there are only such, except the row that tells of it', async () => {
    await add(500, 450);
    await trim(400);
    expect(await ids()).toEqual([3]);
    expect(await verdict()).toMatchObject({ rows: 1, base: { id: 2 } });
  });
});

test('without a row that is too old nothing is written', async () => {
  await trim(400);
  await add(399, 0);
  await trim(400);
  expect(await ids()).toEqual([1, 2]);
});

test('two servers that delete at the same moment delete once', async () => {
  await add(500, 450, 0);
  await Promise.all([trim(400), trim(400)]);
  expect(await ids()).toEqual([3, 4]);
  expect((await verdict()).fault).toBeUndefined();
});

test('the server deletes once its clock has run evenly: a clock that is a year ahead for a moment deletes nothing', async () => {
  const minute = 60_000;
  let elapsed = 0;
  const sweeper = sweeperFor(opened.context, () => elapsed);
  await add(30);
  const sweep = async (minutes: number, ahead = 0) => {
    for (let passed = 0; passed < minutes; passed += 1) {
      elapsed += minute;
      await sweeper.sweep(NOW + elapsed + ahead);
    }
  };
  await sweep(60);
  await sweep(10, 2 * 365 * DAY);
  await sweep(60);
  expect(await ids()).toEqual([1]);
  await sweep(20, 2 * 365 * DAY);
  expect(await ids()).toEqual([2]);
});

describe('it is found when somebody', () => {
  const deeds: [string, string[]][] = [
    [
      'puts deleted rows back',
      [
        `insert into audit select 2, at, event, result, reason, actor, subject, ip, machine, key_id,
      session_id, request_id, detail, hash from audit where id = 4`,
      ],
    ],
    ['sets the base back', [`update audit_head set base_id = 0, base_hash = ''`]],
    [
      'moves the base on',
      [
        `update audit_head set base_id = 4, base_hash = (select hash from audit where id = 4);
      delete from audit where id = 4`,
      ],
    ],
    ['changes the base’s hash', [`update audit_head set base_hash = 'x'`]],
    ['changes what the row tells', [`update audit set detail = '{}' where event = 'audit-trimmed'`]],
    ['spoils what the row tells', [`update audit set detail = 'x' where event = 'audit-trimmed'`]],
    ['removes the row that tells of it', [`update audit set event = 'signed-in' where event = 'audit-trimmed'`]],
  ];
  test.each(deeds)('%s', async (_, statements) => {
    await add(500, 450, 400, 10, 0);
    await trim(400);
    expect((await verdict()).fault).toBeUndefined();
    await tamper(opened.databaseUrl, ...statements);
    expect((await verdict()).fault).toBeDefined();
  });
});
