import type { Schema } from '../store/schema.ts';
import { readAttestation } from './attestation.ts';
import { type Judgement, judgeKey, type KeyPolicy } from './judge.ts';

/** Judges a key by its row in the database. @param now milliseconds since the epoch */
export function judgeStoredKey(
  policy: KeyPolicy,
  key: Pick<Schema['keys'], 'aaguid' | 'attestation' | 'created_at'>,
  now: number,
): Judgement {
  const attestation = readAttestation(key.attestation);
  return judgeKey(policy, { aaguid: key.aaguid, attestation, enrolledAt: key.created_at }, now);
}
