import { expect, test } from 'vitest';
import { addLook, type Found } from '../../../server/public-documents/found.ts';
import type { Look, Trouble } from '../../../server/public-documents/look.ts';

const looked = (at: number, shown: string[], { maxAge = 300, age = 0, troubles = [] as Trouble[] } = {}): Look => ({
  issuer: 'https://id.example.com',
  at,
  troubles,
  shown,
  freshness: { maxAge, age },
  date: undefined,
  chain: undefined,
});
const unreadable = (at: number): Look => ({
  ...looked(at, [], { troubles: [{ kind: 'status', url: 'x', why: 'It answers with status 503.' }] }),
});
const missing: Trouble = { kind: 'key-missing', url: 'x', kid: 'two', state: 'next' };
const everywhereAt = (found: Found, kid: string) => found.read?.keys[kid]?.everywhereAt;

const first = addLook(undefined, looked(1_000, ['one'], { maxAge: 600, troubles: [missing] }));

test('a new key is everywhere when the last older copy is over: its max-age after the newer one was made', () => {
  expect(everywhereAt(addLook(first, looked(60_000, ['one', 'two'], { maxAge: 60 })), 'two')).toBe(660_000);
  expect(everywhereAt(addLook(first, looked(60_000, ['one', 'two'], { maxAge: 900 })), 'two')).toBe(960_000);
  expect(everywhereAt(addLook(first, looked(60_000, ['one', 'two'], { age: 50 })), 'two')).toBe(610_000);
  expect(everywhereAt(addLook(first, looked(60_000, ['one', 'two'], { age: 5_000 })), 'two')).toBe(60_000);
});

test('the wait goes on over later looks, and over looks that could read nothing', () => {
  const second = addLook(first, looked(60_000, ['one', 'two']));
  const third = addLook(second, unreadable(120_000));
  expect(third).toEqual({ ...second, at: 120_000, troubles: unreadable(0).troubles });
  expect(everywhereAt(addLook(third, looked(180_000, ['one', 'two'])), 'two')).toBe(everywhereAt(second, 'two'));
});

test('the wait begins again for a key that was gone meanwhile', () => {
  const second = addLook(first, looked(60_000, ['one', 'two']));
  const third = addLook(second, looked(120_000, ['one'], { troubles: [missing] }));
  expect(everywhereAt(third, 'two')).toBeUndefined();
  expect(everywhereAt(addLook(third, looked(180_000, ['one', 'two'])), 'two')).toBe(480_000);
});

test('nothing is known before a look could read the documents', () => {
  expect(addLook(undefined, unreadable(5))).toMatchObject({ at: 5, read: undefined });
});
