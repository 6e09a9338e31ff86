import { pino } from 'pino';
import { KeyPlace } from '../../../../server/signing/key-place.ts';
import { DatabaseKeyRing } from '../../../../server/signing/key-ring.ts';
import { REFRESH_MS } from '../../../../server/signing/lifetimes.ts';
import { KeySchedule } from '../../../../server/signing/rotation/schedule.ts';
import type { Store } from '../../../../server/store/store.ts';
import { openStore } from '../../engines.ts';
import { TestClocks } from '../clocks.ts';
import { MASTER } from '../master.ts';

export const START = Date.UTC(2026, 0, 2, 3, 4, 5);

/** What one of several servers knows of the keys. */
export interface Instance {
  store: Store;
  keys: DatabaseKeyRing;
  schedule: KeySchedule;
  clocks: TestClocks;
}

/** Starts an instance on a database. It goes with the test. */
export async function startInstance(
  url: string,
  {
    days,
    clocks = new TestClocks(START),
    place = new KeyPlace(),
    ...more
  }: {
    days?: number;
    clocks?: TestClocks;
    place?: KeyPlace;
    maySign?: (kid: string) => Promise<boolean>;
  } = {},
): Promise<Instance> {
  const store = await openStore(url);
  const keys = await DatabaseKeyRing.open(store, MASTER, clocks, place);
  const schedule = new KeySchedule({ store, keys, days, clocks, log: pino({ level: 'silent' }), ...more });
  return { store, keys, schedule, clocks };
}

/** Lets time pass, and each instance look at the keys meanwhile. @param every the pause between two looks, in milliseconds */
export async function pass(milliseconds: number, instances: Instance[], every = REFRESH_MS): Promise<void> {
  for (let gone = 0; gone < milliseconds; gone += every) {
    const step = Math.min(every, milliseconds - gone);
    for (const { clocks } of instances) clocks.pass(step);
    await Promise.all(instances.map(({ schedule }) => schedule.run()));
  }
}

/** The published keys and their states, in the key set's order. */
export function statesOf({ keys }: Instance): string[] {
  return keys.keys.map(({ state }) => state);
}

/** The names in an instance's key set. */
export function kidsOf({ keys }: Instance): (string | undefined)[] {
  return keys.published().map(({ kid }) => kid);
}
