import { expect, test } from 'vitest';
import { JWKS_MAX_AGE_S } from '../../../../server/signing/lifetimes.ts';
import { rotateSoon } from '../../../../server/signing/rotation/rotate-soon.ts';
import { StoreUnavailable } from '../../../../server/store/unavailable.ts';
import { Random } from '../../../support/random.ts';
import { newDatabaseUrl } from '../../engines.ts';
import { TestClocks } from '../clocks.ts';
import { type Instance, kidsOf, START, startInstance } from './instance.ts';

/** How much time passes between two looks, in milliseconds. */
const STEP_MS = 10_000;
const MINUTE = 60_000;

/** How long the story is, in milliseconds. */
const STORY_MS = 6 * 60 * MINUTE;

const random = Random.seeded('VOUCH_CACHES_SEED');

/** An instance with its troubles. */
interface Troubled {
  instance: Instance;
  /** Until when it does not reach the database, and until when its machine sleeps. */
  cutOff: number;
  asleep: number;
}

/** A verifier's copy of the key set, which it keeps for as long as it may. */
interface Cache {
  kids: readonly (string | undefined)[];
  until: number;
}

/** Undefined when the instance answers with 503. */
function answerOf<Answer>(answer: () => Answer): Answer | undefined {
  try {
    return answer();
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}

test('no cache of the key set lags behind, whatever instances are cut off, asleep, restarted or have wrong clocks', async () => {
  const url = await newDatabaseUrl();
  const start = async (now: number): Promise<Troubled> => {
    const clocks = new TestClocks(START + now);
    clocks.ahead = random.between(-2 * MINUTE, 2 * MINUTE);
    return { instance: await startInstance(url, { clocks }), cutOff: 0, asleep: 0 };
  };
  const troubled = [await start(0), await start(0), await start(0)];
  const caches = Array.from({ length: 6 }, (): Cache => ({ kids: [], until: 0 }));
  const lagging: string[] = [];
  const signed = new Set<string>();
  let refused = 0;
  for (let now = 0; now < STORY_MS; now += STEP_MS) {
    for (const [index, one] of troubled.entries()) {
      if (random.next() < 0.004) one.cutOff = now + random.between(1, 15) * MINUTE;
      if (random.next() < 0.002) one.asleep = now + random.between(1, 15) * MINUTE;
      if (random.next() < 0.002) one.instance.clocks.ahead += random.between(-10, 10) * MINUTE;
      if (random.next() < 0.002) troubled[index] = await start(now);
    }
    const [admin] = troubled;
    if (admin && admin.cutOff <= now && random.next() < 0.05) {
      const { store, keys, clocks } = admin.instance;
      await keys.refresh();
      // More are refused.
      if (keys.keys.length < 20 && !keys.keys.some(({ state }) => state === 'next')) {
        await rotateSoon(store, keys, clocks.now(), { actor: 'cli:root' });
      }
    }
    for (const { instance, cutOff, asleep } of troubled) {
      // The monotonic clock of a machine that sleeps stands still.
      if (asleep > now) instance.clocks.ahead += STEP_MS;
      else instance.clocks.pass(STEP_MS);
      if (asleep <= now && cutOff <= now) await instance.schedule.run();
    }
    const awake = troubled.filter(({ asleep }) => asleep <= now).map(({ instance }) => instance);
    const tokens = awake.map(({ keys }) => answerOf(() => keys.current().kid)).filter((kid) => kid !== undefined);
    refused += awake.length - tokens.length;
    for (const cache of caches) {
      if (now >= cache.until && awake.length > 0) {
        const asked = random.pick(awake);
        const kids = answerOf(() => kidsOf(asked));
        if (kids !== undefined) Object.assign(cache, { kids, until: now + JWKS_MAX_AGE_S * 1000 });
      }
      if (now >= cache.until) continue;
      for (const kid of tokens) {
        signed.add(kid);
        if (!cache.kids.includes(kid)) lagging.push(`${kid} after ${now / MINUTE} minutes`);
      }
    }
  }
  expect(lagging).toEqual([]);
  // All of it happened.
  expect(signed.size).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(10);
});
