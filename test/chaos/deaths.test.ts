import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../server/config/config.ts';
import type { Context } from '../../server/context.ts';
import { chooseEngine } from '../../server/store/choose-engine.ts';
import { fileOfUrl } from '../../server/store/sqlite/url.ts';
import { makeDatabase } from '../server/engines.ts';
import { freePort } from '../support/free-port.ts';
import { Random } from '../support/random.ts';
import { type Change, contextOf, flawsOfAll, kinds, prepareMany, send } from './changes.ts';
import { MortalServer } from './mortal-server.ts';

const asked = process.env.VOUCH_KILLS;

/**
 * How often the server dies, and how many of these deaths are a SIGKILL. Each takes a new process, so a quick try on SQLite sets fewer
 * (`VOUCH_KILLS=15`): the other deaths are then copies of the files that a SIGKILL would leave behind. PostgreSQL's files are no business
 * of the server's, so there each death is a SIGKILL, and `VOUCH_KILLS=100` is a thorough run; lost-connections.test.ts cuts the server
 * off at 100 more moments.
 */
const plans = [
  { engine: 'sqlite', deaths: 300, kills: Number(asked ?? 300) },
  { engine: 'postgres', deaths: Number(asked ?? 15), kills: Number(asked ?? 15) },
] as const;

/** How many changes are under way at each death. */
const together = 4;

test.for(plans)(
  '$deaths deaths on $engine while people recover, enrol and remove keys: each change happened as a whole or not at all',
  { timeout: 300_000 + Number(asked ?? 300) * 5_000 },
  async ({ engine, deaths, kills }) => {
    const random = Random.seeded('VOUCH_DEATHS_SEED');
    const database = await makeDatabase(engine);
    onTestFinished(() => database.drop());
    const url = database.settings.VOUCH_DATABASE_URL;
    const settings = {
      ...database.settings,
      VOUCH_ISSUER: `http://localhost:${await freePort()}`,
      VOUCH_TRUST_PROXY: '127.0.0.1,::1',
    };
    const server = await MortalServer.start(settings);
    onTestFinished(() => server.end());
    const use = user(settings);
    const prepare = (context: Context) => prepareMany(context, 10 * together, () => random.pick(kinds));

    const ready: Change[] = [];
    /** How long a change takes, in milliseconds. */
    let usual = 10;
    const all = { sent: 0, confirmed: 0 };
    const isKill = random.shuffled(Array.from({ length: deaths }, (_, number) => number < kills));
    for (const [number, killed] of isKill.entries()) {
      if (ready.length === 0) ready.push(...(await use(url, prepare)));
      const changes = ready.splice(0, together);
      const begun = performance.now();
      const { confirmed, refused, ended } = send(changes);
      const last = Promise.all(ended).then(() => {
        usual = (performance.now() - begun) / together;
      });
      // After some answers and a random part of the time to the next one.
      for (const answer of ended.slice(0, random.between(0, together - 1))) await answer;
      await wait(random.next() * usual);

      const before = new Set(confirmed);
      const left = killed ? await server.kill() : await server.freeze();
      await last;
      const flaws = await use(left, ({ store }) =>
        // Its lock comes after whatever a connection that ended was still about to commit.
        store.transaction().execute(() => flawsOfAll(store, changes, before)),
      );
      if (engine === 'sqlite') flaws.push(...damageOf(left));
      server.forget(left);
      expect([...flaws, ...refused], `death ${number}, ${killed ? 'by SIGKILL' : 'of which a copy was made'}`).toEqual(
        [],
      );
      all.sent += changes.length;
      all.confirmed += before.size;
      if (killed) await server.restart();
      else expect(confirmed.size).toBe(together);
    }

    process.stdout.write(`${all.confirmed} of ${all.sent} changes were confirmed before the server died\n`);
    // It died in the middle indeed.
    expect(all.confirmed).toBeGreaterThan(all.sent / 5);
    expect(all.confirmed).toBeLessThan((all.sent * 4) / 5);
  },
);

/** What SQLite finds wrong with a database's pages and references. */
function damageOf(url: string): string[] {
  const database = new DatabaseSync(fileOfUrl(url), { readOnly: true });
  try {
    const found = ['integrity_check', 'foreign_key_check'].flatMap((check) =>
      database.prepare(`PRAGMA ${check}`).all(),
    );
    return found.filter((row) => row.integrity_check !== 'ok').map((row) => JSON.stringify(row));
  } finally {
    database.close();
  }
}

/** Works on a database as a server would, and closes it, so that whoever opens it next finds what the dead one has left. */
function user(settings: Record<string, string>) {
  const config = readConfig(settings);
  return async <Result>(url: string, work: (context: Context) => Promise<Result>): Promise<Result> => {
    const store = await chooseEngine(url).open();
    try {
      return await work(contextOf(config, store));
    } finally {
      await store.destroy();
    }
  };
}
