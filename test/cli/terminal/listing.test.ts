import { expect, test } from 'vitest';
import { listing } from '../../../cli/terminal/listing.ts';

const titles = ['NAME', 'MODEL'];
const list = [
  { cells: ['Work key', 'YubiKey 5C NFC', 'here'], lines: ['Work key (here)', 'YubiKey 5C NFC'] },
  { cells: ['抽屉里的钥匙', '-', ''], lines: ['抽屉里的钥匙'] },
  { cells: ['Cle\u0301', 'x', ''], lines: ['Cle\u0301', 'x'] },
];
const table = `NAME          MODEL
Work key      YubiKey 5C NFC  here
抽屉里的钥匙  -
Cle\u0301           x
`;

test('a list is a table where that fits, with columns for what is wide and for what has no width', () => {
  expect(listing(titles, list, 34)).toBe(table);
  expect(listing(titles, list, undefined)).toBe(table);
});

test('on a narrower terminal each thing has lines of its own, and nothing is cut off', () => {
  expect(listing(titles, list, 33)).toBe('Work key (here)\n  YubiKey 5C NFC\n抽屉里的钥匙\nCle\u0301\n  x\n');
});

test('a list of nothing has its titles', () => {
  expect(listing(titles, [], 80)).toBe('NAME  MODEL\n');
});
