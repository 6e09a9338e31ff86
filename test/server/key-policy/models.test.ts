import { expect, test } from 'vitest';
import { fipsModels, isFips, knownModel, MODEL_WORDS } from '../../../server/key-policy/models.ts';

const AAGUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const series = MODEL_WORDS.get('yubikey-5') ?? [];

test('the word yubikey-5 stands for every AAGUID of the series, each named once, with those of its FIPS keys', () => {
  expect(series.length).toBe(new Set(series).size);
  for (const aaguid of series) {
    expect(aaguid).toMatch(AAGUID);
    expect(knownModel(aaguid)).toMatch(/^YubiKey 5/);
  }
  expect(fipsModels().filter((aaguid) => !series.includes(aaguid))).toEqual([]);
});

test('the FIPS models are those whose name says so', () => {
  for (const aaguid of series) expect(isFips(aaguid)).toBe(knownModel(aaguid)?.endsWith('FIPS'));
  expect(fipsModels()).toHaveLength(9);
});

test('keys of other series are not in it', () => {
  for (const aaguid of ['d8522d9f-575b-4866-88a9-ba99fa02f35b', 'f8a011f3-8c0a-4d15-8006-17111f9edc7d']) {
    expect(series).not.toContain(aaguid);
    expect(isFips(aaguid)).toBe(false);
  }
});

test('a model has its maker’s name for it, and an unknown one has none', () => {
  expect(knownModel('fa2b99dc-9e39-4257-8f92-4a30d23c4118')).toBe('YubiKey 5 NFC');
  expect(knownModel('00000000-0000-0000-0000-000000000000')).toBeNull();
});
