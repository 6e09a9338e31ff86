import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readKeySettings } from '../../../server/config/key-settings.ts';
import { LEVELS } from '../../../server/fido-metadata/levels.ts';
import { fipsModels, MODEL_WORDS } from '../../../server/key-policy/models.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type Made, makeAuthority, pem } from '../make-certificates.ts';

const A = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const B = '00000000-0000-0000-0000-00000000000b';
const FIPS = 'c1f9a0bc-1dd2-404a-b27f-8e29047a43fd';
const URL_SET = { VOUCH_FIDO_METADATA: 'https://mds3.fidoalliance.org/' };

const folder = temporaryFolder();
let roots: Made[];
let rootsFile: string;
beforeAll(async () => {
  roots = [await makeAuthority('One'), await makeAuthority('Two')];
  rootsFile = file('roots.pem', `Roots of two makers\n${pem(...roots)}`);
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('without settings any key counts, and no metadata is used', () => {
  expect(readKeySettings({})).toEqual({
    keyRules: { allowed: undefined, mustProve: false, minLevel: undefined, roots: [] },
    fidoMetadata: undefined,
  });
});

describe('the allowed models', () => {
  const allowed = (value: string) => [...(readKeySettings({ VOUCH_ALLOWED_AAGUIDS: value }).keyRules.allowed ?? [])];
  const series = MODEL_WORDS.get('yubikey-5') ?? [];

  test('are AAGUIDs in any case, with commas or spaces, and words', () => {
    expect(allowed(` ${A.toUpperCase()},\n${B} `)).toEqual([A, B]);
    expect(allowed('yubikey-5')).toEqual(series);
    expect(allowed(`YubiKey-5, ${B}`)).toEqual([...series, B]);
  });

  test('with fips-only are those with a FIPS 140 validation: of all that we know, or of what else is named', () => {
    expect(allowed('fips-only')).toEqual(fipsModels());
    expect(allowed('yubikey-5 fips-only').sort()).toEqual(fipsModels().sort());
    expect(allowed(`fips-only,${FIPS}`)).toEqual([FIPS]);
  });
});

test('the roots are the certificates of a PEM file, with any text between them', () => {
  const { keyRules } = readKeySettings({ VOUCH_ATTESTATION_ROOTS: rootsFile });
  expect(keyRules.roots.map(({ der }) => der)).toEqual(roots.map(({ der }) => der));
});

test('the metadata is at an https URL or in a file', () => {
  const source = (value: string) => readKeySettings({ VOUCH_FIDO_METADATA: value }).fidoMetadata;
  expect(source('https://mds3.fidoalliance.org/')).toEqual({ url: 'https://mds3.fidoalliance.org/' });
  expect(source('HTTPS://mirror.example.com/blob')).toEqual({ url: 'https://mirror.example.com/blob' });
  expect(source('/etc/vouch/blob.jwt')).toEqual({ file: '/etc/vouch/blob.jwt' });
  expect(source('blob.jwt')).toEqual({ file: resolve('blob.jwt') });
});

test('a proof can be asked for with metadata or roots, and a level with metadata', () => {
  const proof = { VOUCH_REQUIRE_ATTESTATION_CERT: 'true' };
  for (const trust of [URL_SET, { VOUCH_ATTESTATION_ROOTS: rootsFile }]) {
    expect(readKeySettings({ ...proof, ...trust }).keyRules.mustProve).toBe(true);
  }
  for (const level of LEVELS) {
    expect(readKeySettings({ VOUCH_MIN_KEY_LEVEL: level, ...URL_SET }).keyRules.minLevel).toBe(level);
  }
});

describe('refused is', () => {
  const wrong: [string, () => Record<string, string>, RegExp][] = [
    [
      'a model by its name',
      () => ({ VOUCH_ALLOWED_AAGUIDS: 'YubiKey' }),
      /^VOUCH_ALLOWED_AAGUIDS is "yubikey"; .*yubikey-5, fips-only/,
    ],
    ['an empty list', () => ({ VOUCH_ALLOWED_AAGUIDS: '' }), /^VOUCH_ALLOWED_AAGUIDS is ""; .*unset/],
    ['a list of commas', () => ({ VOUCH_ALLOWED_AAGUIDS: ' , ' }), /^VOUCH_ALLOWED_AAGUIDS .*unset/],
    [
      'a model that is no FIPS model, with fips-only',
      () => ({ VOUCH_ALLOWED_AAGUIDS: `fips-only ${A}` }),
      /2fc0579f.*fips-only keeps only those/,
    ],
    [
      'yes in place of true',
      () => ({ VOUCH_REQUIRE_ATTESTATION_CERT: 'yes' }),
      /^VOUCH_REQUIRE_ATTESTATION_CERT .*true or false/,
    ],
    [
      'a proof without anything to trust',
      () => ({ VOUCH_REQUIRE_ATTESTATION_CERT: 'true' }),
      /^VOUCH_REQUIRE_ATTESTATION_CERT .*VOUCH_FIDO_METADATA or VOUCH_ATTESTATION_ROOTS/,
    ],
    [
      'a level without metadata',
      () => ({ VOUCH_MIN_KEY_LEVEL: 'L2', VOUCH_ATTESTATION_ROOTS: rootsFile }),
      /^VOUCH_MIN_KEY_LEVEL .*VOUCH_FIDO_METADATA/,
    ],
    [
      'a level that does not exist',
      () => ({ VOUCH_MIN_KEY_LEVEL: 'l2', ...URL_SET }),
      /^VOUCH_MIN_KEY_LEVEL is "l2"; .*L1, L1plus/,
    ],
    ...[
      '',
      ' ',
      'http://mds3.fidoalliance.org/',
      'https://',
      'https://user:word@example.com/',
      'ftp://example.com',
      'file:///blob.jwt',
    ].map((value): [string, () => Record<string, string>, RegExp] => [
      `metadata at ${JSON.stringify(value)}`,
      () => ({ VOUCH_FIDO_METADATA: value }),
      /^VOUCH_FIDO_METADATA is .*https:\/\/ URL/,
    ]),
    [
      'a file of roots that does not exist',
      () => ({ VOUCH_ATTESTATION_ROOTS: join(folder, 'none') }),
      /^VOUCH_ATTESTATION_ROOTS .*ENOENT/,
    ],
    ['a folder of roots', () => ({ VOUCH_ATTESTATION_ROOTS: folder }), /^VOUCH_ATTESTATION_ROOTS /],
    [
      'a file without certificates',
      () => ({ VOUCH_ATTESTATION_ROOTS: file('empty', 'nothing') }),
      /there is none in it/,
    ],
    [
      'a file with a broken certificate',
      () => ({
        VOUCH_ATTESTATION_ROOTS: file('broken', `${pem(...roots)}${pem({ ...(roots[0] as Made), der: Buffer.of(1) })}`),
      }),
      /number 3 of them/,
    ],
    [
      'a pipe of roots',
      () => {
        const path = join(folder, 'pipe');
        execFileSync('mkfifo', [path]);
        return { VOUCH_ATTESTATION_ROOTS: path };
      },
      /^VOUCH_ATTESTATION_ROOTS .*a file of at most/,
    ],
  ];
  for (const [name, settings, message] of wrong) {
    test(name, () => {
      expect(() => readKeySettings(settings())).toThrow(message);
    });
  }
});
