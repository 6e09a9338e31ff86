import { describe, expect, test } from 'vitest';
import { RateLimitStore } from '../../../server/http/rate-limit-store.ts';

describe('the counts of a limit', () => {
  function store(): { counts: RateLimitStore; clock: { now: number } } {
    const clock = { now: 1_000_000 };
    const counts = new RateLimitStore(() => clock.now);
    counts.init({ windowMs: 60_000 });
    return { counts, clock };
  }

  test('start again when their minute is over', () => {
    const { counts, clock } = store();
    expect([1, 2, 3].map(() => counts.increment('a').totalHits)).toEqual([1, 2, 3]);
    expect(counts.increment('b').totalHits).toBe(1);
    clock.now += 59_999;
    expect(counts.increment('a').totalHits).toBe(4);
    clock.now += 1;
    expect(counts.increment('a').totalHits).toBe(1);
    const until = Number(counts.increment('a').resetTime) - Date.now();
    expect(until).toBeGreaterThan(50_000);
    expect(until).toBeLessThanOrEqual(60_000);
  });

  test('take little memory: a client with very many addresses pushes out only the oldest counts', () => {
    const { counts, clock } = store();
    counts.increment('first');
    clock.now += 1;
    for (let index = 0; index < 19_999; index += 1) counts.increment(`early ${index}`);
    expect([counts.size, counts.increment('first').totalHits]).toEqual([20_000, 2]);
    for (let index = 0; index < 10_000; index += 1) counts.increment(`late ${index}`);
    expect(counts.size).toBe(20_000);
    expect(counts.increment('early 19998').totalHits).toBe(2);
    expect(counts.increment('first').totalHits).toBe(1);
    clock.now += 60_000;
    counts.increment('another day');
    expect(counts.size).toBe(1);
  });

  test('can be reduced and reset', () => {
    const { counts } = store();
    counts.increment('a');
    counts.decrement('a');
    counts.decrement('a');
    counts.decrement('nobody');
    expect(counts.increment('a').totalHits).toBe(1);
    counts.resetKey('a');
    expect(counts.size).toBe(0);
  });
});
