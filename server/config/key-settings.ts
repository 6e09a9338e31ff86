import { resolve } from 'node:path';
import type { Certificate } from '../certificates/certificate.ts';
import { readPemFile } from '../certificates/pem-file.ts';
import { isLevel, LEVELS, type Level } from '../fido-metadata/levels.ts';
import type { MetadataSource } from '../fido-metadata/source.ts';
import type { KeyRules } from '../key-policy/judge.ts';
import { FIPS_ONLY, fipsModels, isFips, MODEL_WORDS } from '../key-policy/models.ts';
import { settingRefused } from '../problem/setting-refused.ts';
import { readBoolean } from './boolean.ts';

type Environment = Record<string, string | undefined>;

/**
 * Reads the settings that say which keys count.
 *
 * @throws Problem `setting-refused` for the first of them that is wrong, or that cannot work without another
 */
export function readKeySettings(env: Environment): { keyRules: KeyRules; fidoMetadata: MetadataSource | undefined } {
  const allowed = readAllowed(env.VOUCH_ALLOWED_AAGUIDS);
  const fidoMetadata = readSource(env.VOUCH_FIDO_METADATA);
  const roots = readRoots(env.VOUCH_ATTESTATION_ROOTS);
  const mustProve = readBoolean(env, 'VOUCH_REQUIRE_ATTESTATION_CERT');
  const minLevel = readLevel(env.VOUCH_MIN_KEY_LEVEL);
  if (mustProve && fidoMetadata === undefined && roots.length === 0) {
    throw settingRefused(
      'VOUCH_REQUIRE_ATTESTATION_CERT',
      'true',
      'used together with VOUCH_FIDO_METADATA or VOUCH_ATTESTATION_ROOTS: nothing says yet whose certificates to trust',
    );
  }
  if (minLevel !== undefined && fidoMetadata === undefined) {
    throw settingRefused(
      'VOUCH_MIN_KEY_LEVEL',
      minLevel,
      'used together with VOUCH_FIDO_METADATA: nothing else says which level a model has',
    );
  }
  return { keyRules: { allowed, mustProve, minLevel, roots }, fidoMetadata };
}

function readAllowed(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined;
  const list = value
    .split(/[\s,]+/)
    .filter((item) => item !== '')
    .map((item) => item.toLowerCase());
  // Setting it is meant to refuse some models, but an empty list (a template's empty variable) would refuse none.
  if (list.length === 0) {
    throw settingRefused('VOUCH_ALLOWED_AAGUIDS', value, 'a list of AAGUIDs or words, or unset to allow any model');
  }
  const named = list.filter((item) => item !== FIPS_ONLY);
  if (named.length === list.length) return new Set(named.flatMap(modelsOf));
  if (named.length === 0) return new Set(fipsModels());
  return new Set(named.flatMap((item) => modelsOf(item).filter((aaguid) => isFips(aaguid) || mustBeFips(item))));
}

/** The models that an item of the list stands for. */
function modelsOf(item: string): readonly string[] {
  const word = MODEL_WORDS.get(item);
  if (word !== undefined) return word;
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(item)) return [item];
  throw settingRefused(
    'VOUCH_ALLOWED_AAGUIDS',
    item,
    `a list of AAGUIDs, such as 2fc0579f-8113-47ea-b116-bb5a8db9202a, and of the words ${[...MODEL_WORDS.keys(), FIPS_ONLY].join(', ')}`,
  );
}

/** A word loses the models that are not FIPS models. An AAGUID is an error then, because it names one model on purpose. */
function mustBeFips(item: string): false {
  if (MODEL_WORDS.has(item)) return false;
  throw settingRefused(
    'VOUCH_ALLOWED_AAGUIDS',
    item,
    `an AAGUID that Vouch knows as a FIPS model, because ${FIPS_ONLY} keeps only those (leave that word out, and name each model)`,
  );
}

function readSource(value: string | undefined): MetadataSource | undefined {
  if (value === undefined) return undefined;
  if (/^https:\/\//i.test(value)) {
    const url = URL.parse(value);
    if (url !== null && url.username === '' && url.password === '') return { url: url.href };
  } else if (value.trim() !== '' && !/^[a-z][a-z0-9+.-]*:/i.test(value)) {
    return { file: resolve(value) };
  }
  throw settingRefused(
    'VOUCH_FIDO_METADATA',
    value,
    'an https:// URL, such as https://mds3.fidoalliance.org/, or the path of a file with what it returns',
  );
}

function readRoots(file: string | undefined): readonly Certificate[] {
  if (file === undefined) return [];
  try {
    return readPemFile(file);
  } catch (error) {
    throw settingRefused(
      'VOUCH_ATTESTATION_ROOTS',
      file,
      `a file with certificates of makers of keys, in PEM (${(error as Error).message})`,
    );
  }
}

function readLevel(value: string | undefined): Level | undefined {
  if (value === undefined || isLevel(value)) return value;
  throw settingRefused('VOUCH_MIN_KEY_LEVEL', value, `one of ${LEVELS.join(', ')}`);
}
