import { expect, test } from 'vitest';
import { editDistance, nearest } from '../../../server/text/edit-distance.ts';

test('counts what is added, removed or changed', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('alice', 'alice')).toBe(0);
});

test('the nearest is the best one within reach', () => {
  expect(nearest('alcie', ['bob', 'alice', 'alfie'])).toBe('alfie');
  expect(nearest('alice', ['bob', 'alina'], 2)).toBe('alina');
  expect(nearest('alice', ['bob', 'alina'], 1)).toBeUndefined();
  expect(nearest('alice', [])).toBeUndefined();
});
