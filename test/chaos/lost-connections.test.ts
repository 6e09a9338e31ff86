import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../server/config/config.ts';
import { serve } from '../../server/serve.ts';
import { chooseEngine } from '../../server/store/choose-engine.ts';
import { readAddress } from '../../server/store/postgres/address.ts';
import { makeDatabase } from '../server/engines.ts';
import { BreakingRelay } from '../support/breaking-relay.ts';
import { freePort } from '../support/free-port.ts';
import { Random } from '../support/random.ts';
import { type Change, contextOf, flawsOfAll, kinds, prepareMany, send } from './changes.ts';

/** How often the server is cut off from PostgreSQL. */
const breaks = 100;

/** How many changes are under way each time. */
const together = 4;

/**
 * For PostgreSQL a server that is killed, and one whose network breaks, are the same: connections end in the middle of what they were at.
 * So here they end at random moments of the protocol, before, after and within what the server sends, which hits more moments than a
 * SIGKILL does (instances.test.ts), and the server lives to say what it believes to have done.
 */
test('100 ends of all connections to PostgreSQL while people recover, enrol and remove keys: each change happened as a whole or not at all', async () => {
  const random = Random.seeded('VOUCH_BREAKS_SEED');
  const database = await makeDatabase('postgres');
  onTestFinished(() => database.drop());
  const url = database.settings.VOUCH_DATABASE_URL;
  const { host, port, user, password, database: name } = readAddress(url);
  const who = [user, ...(password === undefined ? [] : [password])].map(encodeURIComponent).join(':');
  const relay = await BreakingRelay.open(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  const config = readConfig({
    ...database.settings,
    VOUCH_ISSUER: `http://localhost:${await freePort()}`,
    VOUCH_DATABASE_URL: `postgres://${who}@127.0.0.1:${relay.port}/${name}?sslmode=disable`,
    VOUCH_LOG_LEVEL: 'silent',
    VOUCH_TRUST_PROXY: '127.0.0.1,::1',
  });
  const server = await serve(config);
  const store = await chooseEngine(url).open();
  onTestFinished(async () => {
    await server.close();
    await store.destroy();
    await relay.close();
  });

  const ready: Change[] = [];
  const nextChanges = async () => {
    const make = () => prepareMany(contextOf(config, store), 10 * together, () => random.pick(kinds));
    if (ready.length === 0) ready.push(...(await make()));
    return ready.splice(0, together);
  };
  /** Sends changes. @returns how many were confirmed */
  const change = async (what: string): Promise<number> => {
    const changes = await nextChanges();
    const { confirmed, refused, ended } = send(changes, [503]);
    await Promise.all(ended);
    // Its lock comes after whatever a connection that ended was still about to commit.
    const flaws = await store.transaction().execute(() => flawsOfAll(store, changes, confirmed));
    expect([...flaws, ...refused], what).toEqual([]);
    return confirmed.size;
  };

  expect(await change('no break')).toBe(together);
  const before = relay.pieces;
  expect(await change('no break')).toBe(together);
  const usual = relay.pieces - before;

  let confirmed = 0;
  for (let number = 0; number < breaks; number += 1) {
    const piece = random.between(1, usual);
    const last = random.pick(['nothing', 'half', 'all'] as const);
    relay.breakAt(piece, last);
    confirmed += await change(`break ${number}, at piece ${piece} of about ${usual}, of which ${last} arrived`);
    relay.heal();
  }
  process.stdout.write(`${confirmed} of ${breaks * together} changes were confirmed, ${relay.breaks} breaks\n`);
  // Nearly each time it broke in the middle indeed, and all is well afterwards.
  expect(relay.breaks).toBeGreaterThan(breaks / 2);
  expect(confirmed).toBeGreaterThan((breaks * together) / 5);
  expect(confirmed).toBeLessThan(breaks * together * 0.9);
  expect(await change('no break')).toBe(together);
}, 240_000);
