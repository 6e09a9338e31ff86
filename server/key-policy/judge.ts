import type { Certificate } from '../certificates/certificate.ts';
import { LEVELS, type Level } from '../fido-metadata/levels.ts';
import type { Metadata } from '../fido-metadata/metadata.ts';
import { type Compromise, compromiseOf, levelOf } from '../fido-metadata/statuses.ts';
import { isReadable } from '../text/readable-text.ts';
import type { Attestation } from './attestation.ts';
import { knownModel } from './models.ts';
import { proofOf } from './proof.ts';

/** Which keys count, as the administrator set it. */
export interface KeyRules {
  /** AAGUIDs of the models that may be used; undefined for any. */
  allowed: ReadonlySet<string> | undefined;
  /** Whether a key must prove its model with an attestation that leads to a trusted certificate. */
  mustProve: boolean;
  /** The lowest certification level; a key proves it with its model. */
  minLevel: Level | undefined;
  /** Certificates that the administrator trusts, for any model. */
  roots: readonly Certificate[];
}

/** The rules, and what is known about models at this moment. */
export interface KeyPolicy extends KeyRules {
  metadata: Metadata | undefined;
}

/** A key, as it was when it was enrolled. */
export interface KeyInQuestion {
  aaguid: string;
  attestation: Attestation | null;
  /** Milliseconds since the epoch. */
  enrolledAt: number;
}

/** Why a key does not count. */
export type KeyRefusal =
  | { kind: 'model-not-allowed' }
  | { kind: 'model-compromised'; compromise: Compromise }
  /** It showed no certificate. */
  | { kind: 'not-proven' }
  /** The metadata does not know its model, and no other certificate is trusted. */
  | { kind: 'model-unknown' }
  /** Its certificate does not lead to a trusted one, or not for this model. */
  | { kind: 'chain-untrusted' }
  | { kind: 'level-too-low'; level: Level | null; least: Level };

/** What is decided about a key. */
export interface Judgement {
  /** The model's name, as the metadata or our own table has it. What the key says it is, unless `proven`. */
  model: string | null;
  /** Whether a trusted authority attests that the key is of this model. */
  proven: boolean;
  /** The certification level; null without proof. */
  level: Level | null;
  refusal?: KeyRefusal;
}

/**
 * Decides whether a key counts. It reads nothing and asks nobody, so the answer for the same policy, key and time is the same.
 *
 * The attestation was signed when the key was enrolled. So its certificates must have been valid then, not now: an attestation
 * certificate that expires does not change what the key is.
 *
 * @param now milliseconds since the epoch, for what the metadata says from a day on
 */
export function judgeKey(policy: KeyPolicy, key: KeyInQuestion, now: number): Judgement {
  const known = policy.metadata?.models.get(key.aaguid);
  const proof = proofOf(policy.roots, known, key);
  const evidence = {
    firmware: proof?.certificates[0]?.firmware,
    path: proof?.certificates.map(({ der }) => der),
  };
  const level = known !== undefined && proof !== undefined ? levelOf(known.reports, evidence, now) : null;
  const compromise = known && compromiseOf(known.reports, known.version, evidence, now);
  const refusal = refusalOf();
  return {
    model: modelName(policy.metadata, key.aaguid),
    proven: proof !== undefined,
    level,
    ...(refusal === undefined ? {} : { refusal }),
  };

  function refusalOf(): KeyRefusal | undefined {
    const { allowed, mustProve, minLevel } = policy;
    if (compromise !== undefined) return { kind: 'model-compromised', compromise };
    if (allowed !== undefined && !allowed.has(key.aaguid)) return { kind: 'model-not-allowed' };
    if ((mustProve || minLevel !== undefined) && proof === undefined) {
      // A U2F attestation covers neither the model nor whether the person was verified (WebAuthn, section 8.6).
      if (key.attestation?.fmt !== 'packed') return { kind: 'not-proven' };
      return { kind: known === undefined && policy.roots.length === 0 ? 'model-unknown' : 'chain-untrusted' };
    }
    if (minLevel !== undefined && (level === null || LEVELS.indexOf(level) < LEVELS.indexOf(minLevel))) {
      return { kind: 'level-too-low', level, least: minLevel };
    }
    return undefined;
  }
}

/** A model's name: its description in the metadata, else the one in our own table. For display only. */
function modelName(metadata: Metadata | undefined, aaguid: string): string | null {
  const described = metadata?.models.get(aaguid)?.description.trim().slice(0, 100) ?? '';
  return isReadable(described) ? described : knownModel(aaguid);
}
