import { expect, test } from 'vitest';
import { LEASE_MS, Lease } from '../../../server/store/lease.ts';
import { newStore } from '../engines.ts';

test('of 50 instances that ask for a lease, one has it; another one gets it when that asks no more', async () => {
  const store = await newStore();
  const instances = Array.from({ length: 50 }, (_, index) => new Lease(store, 'work', `instance ${index}`));
  const holders = async (now: number) => {
    const taken = await Promise.all(instances.map((instance) => instance.take(now)));
    return instances.filter((_, index) => taken[index]);
  };
  const [first, ...others] = await holders(1_000);
  expect(others).toEqual([]);
  expect(await holders(60_000)).toEqual([first]);
  expect(await holders(60_000 + LEASE_MS - 1)).toEqual([first]);
  instances.splice(instances.indexOf(first as Lease), 1);
  expect(await holders(60_000 + 2 * LEASE_MS - 2)).toEqual([]);
  const [second, ...more] = await holders(60_000 + 2 * LEASE_MS - 1);
  expect([second === undefined, more]).toEqual([false, []]);
  // It asked once with a clock that was a year ahead.
  expect(await second?.take(365 * 86_400_000)).toBe(true);
  expect(await holders(60_000 + 2 * LEASE_MS)).toHaveLength(1);
  expect(await new Lease(store, 'other work', 'somebody').take(1_000)).toBe(true);
});
