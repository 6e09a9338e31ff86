import type { JWK } from 'jose';
import { discoveryUrl, type Issuers, jwksUrl, type PublishedKey } from './documents.ts';
import { type Chain, type FetchedDocument, fetchDocument, type Obstacle, Unreadable } from './fetch-document.ts';
import type { Freshness } from './freshness.ts';

/** What is wrong with the public documents. Programs decide by the kind. */
export type Trouble =
  /** A document cannot be read as AWS reads it. */
  | { kind: Obstacle; url: string; why: string }
  /** A member of discovery is missing or other than it must be. */
  | { kind: 'member-differs'; url: string; member: string; expected: unknown; found: unknown }
  /** A key of the server is not there, or another one has its name. */
  | { kind: 'key-missing' | 'key-differs'; url: string; kid: string; state: PublishedKey['state'] }
  /** A key is there that is not the server's, or no longer. AWS accepts what it signs. */
  | { kind: 'key-foreign'; url: string; kid: string };

/** Whether a trouble is with one key, and not with a whole document. */
export function isOfKey({ kind }: Trouble): boolean {
  return kind === 'key-missing' || kind === 'key-differs' || kind === 'key-foreign';
}

/** The public documents, as AWS would have found them at one moment. */
export interface Look {
  issuer: string;
  /** Milliseconds since the epoch. */
  at: number;
  troubles: readonly Trouble[];
  /** The names of the server's keys that AWS can use there. */
  shown: readonly string[];
  /** Of the keys; undefined if they could not be read. */
  freshness: Freshness | undefined;
  /** The host's clock when it made the answer, in milliseconds since the epoch. */
  date: number | undefined;
  chain: Chain | undefined;
}

/** A host is a stranger's machine: what it makes us say is bounded. */
const MOST_FOREIGN = 10;

/** What STS asks of discovery beside `issuer` and `jwks_uri`: each must be a list that has this. */
const NEEDED = [
  ['response_types_supported', undefined],
  ['subject_types_supported', 'public'],
  ['id_token_signing_alg_values_supported', 'ES256'],
] as const;

/**
 * Reads the public documents as AWS reads them, and compares them with the server's keys.
 *
 * @param keys next, current and previous
 * @param now milliseconds since the epoch
 */
export async function lookFromOutside(issuers: Issuers, keys: readonly PublishedKey[], now: number): Promise<Look> {
  const [discovery, jwks] = await Promise.all([read(discoveryUrl(issuers)), read(jwksUrl(issuers))]);
  const troubles = [
    ...('json' in discovery ? compareDiscovery(issuers, discovery.json) : [discovery]),
    ...('json' in jwks ? compareKeys(jwksUrl(issuers), keys, jwks.json) : [jwks]),
  ];
  const usable = troubles.every(isOfKey);
  const unfit = new Set(troubles.flatMap((trouble) => ('state' in trouble ? [trouble.kid] : [])));
  const found = 'json' in jwks ? jwks : undefined;
  return {
    issuer: issuers.awsIssuer,
    at: now,
    troubles,
    shown: usable ? keys.map(({ kid }) => kid).filter((kid) => !unfit.has(kid)) : [],
    freshness: found?.freshness,
    date: found?.date,
    chain: found?.chain,
  };
}

async function read(url: string): Promise<FetchedDocument | Extract<Trouble, { why: string }>> {
  try {
    return await fetchDocument(url);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { kind: error.obstacle, url, why: error.message };
  }
}

function compareDiscovery(issuers: Issuers, found: Record<string, unknown>): Trouble[] {
  const url = discoveryUrl(issuers);
  const differs = (member: string, expected: unknown): Trouble => ({
    kind: 'member-differs',
    url,
    member,
    expected,
    found: short(found[member]),
  });
  // Letter by letter (OpenID Connect Discovery 1.0, section 4.3). The keys are read where they must be, and never where a document sends us.
  const exact = { issuer: issuers.awsIssuer, jwks_uri: jwksUrl(issuers) };
  return [
    ...Object.entries(exact).flatMap(([member, value]) => (found[member] === value ? [] : [differs(member, value)])),
    ...NEEDED.flatMap(([member, value]) => {
      const list = found[member];
      const fits = Array.isArray(list) && (value === undefined || list.includes(value));
      return fits ? [] : [differs(member, value === undefined ? ['id_token'] : [value])];
    }),
  ];
}

function compareKeys(url: string, keys: readonly PublishedKey[], { keys: found }: Record<string, unknown>): Trouble[] {
  if (!Array.isArray(found)) {
    return [{ kind: 'member-differs', url, member: 'keys', expected: [], found: short(found) }];
  }
  const there = found.filter((key): key is JWK => typeof key === 'object' && key !== null);
  const ours = new Set(keys.map(({ kid }) => kid));
  return [
    ...keys.flatMap(({ kid, state, publicJwk }): Trouble[] => {
      const same = there.filter((key) => key.kid === kid);
      if (same.length === 0) return [{ kind: 'key-missing', url, kid, state }];
      return same.length === 1 && same.every((key) => isSameKey(key, publicJwk))
        ? []
        : [{ kind: 'key-differs', url, kid, state }];
    }),
    ...there
      .filter(({ kid }) => typeof kid !== 'string' || !ours.has(kid))
      .slice(0, MOST_FOREIGN)
      .map(({ kid }): Trouble => ({ kind: 'key-foreign', url, kid: String(short(kid)) })),
  ];
}

function isSameKey(found: JWK, ours: JWK): boolean {
  return (['kty', 'crv', 'x', 'y'] as const).every((member) => found[member] === ours[member]);
}

/** What a stranger's document contains, as it may be stored and shown. */
function short(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return asText(value)
    .replace(/\p{C}+/gu, ' ')
    .slice(0, 200);
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value);
  } catch {
    // It can be read at any depth, but not written again.
    return 'nested too deeply';
  }
}
