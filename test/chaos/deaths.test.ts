import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../server/config/config.ts';
import type { Context } from '../../server/context.ts';
import { openFile } from '../../server/store/sqlite/open-store.ts';
import { localSettings } from '../server/settings.ts';
import { Random } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Change, contextOf, flawsOfAll, kinds, prepareMany, send } from './changes.ts';
import { MortalServer } from './mortal-server.ts';

/** How often the server dies. */
const deaths = 300;

/**
 * How many of these deaths are a SIGKILL. Each takes a new process, so a quick try sets fewer (`VOUCH_KILLS=15`): the other deaths are then
 * copies of the files that a SIGKILL would leave behind.
 */
const kills = Number(process.env.VOUCH_KILLS ?? deaths);

/** How many changes are under way at each death. */
const together = 4;

const folder = temporaryFolder();

test(
  '300 deaths while people recover, enrol and remove keys: each change happened as a whole or not at all',
  async () => {
    const random = Random.seeded('VOUCH_DEATHS_SEED');
    const database = join(folder, 'vouch.db');
    const settings = { ...(await localSettings(database)), VOUCH_TRUST_PROXY: '127.0.0.1,::1' };
    const server = await MortalServer.start(settings, database);
    onTestFinished(() => server.end());
    const use = user(settings);
    const prepare = (context: Context) => prepareMany(context, 10 * together, () => random.pick(kinds));

    const ready: Change[] = [];
    /** How long a change takes, in milliseconds. */
    let usual = 10;
    const all = { sent: 0, confirmed: 0 };
    const isKill = random.shuffled(Array.from({ length: deaths }, (_, number) => number < kills));
    for (const [number, killed] of isKill.entries()) {
      if (ready.length === 0) ready.push(...(await use(database, prepare)));
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
      const flaws = await use(left, ({ store }) => flawsOfAll(store, changes, before));
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
  300_000 + kills * 5_000,
);

/** Works on a database as a server would, and closes it, so that whoever opens it next finds what the dead one has left. */
function user(settings: Record<string, string>) {
  const config = readConfig(settings);
  return async <Result>(database: string, work: (context: Context) => Promise<Result>): Promise<Result> => {
    const store = await openFile(database);
    try {
      return await work(contextOf(config, store));
    } finally {
      await store.destroy();
    }
  };
}
