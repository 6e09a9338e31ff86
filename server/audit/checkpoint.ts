import { decodeProtectedHeader, errors, importJWK, jwtVerify } from 'jose';
import { Problem } from '../problem/problem.ts';
import type { KnownKey } from '../signing/key-rows.ts';
import { signJwt } from '../signing/sign-jwt.ts';
import type { SigningKey } from '../signing/signing-key.ts';
import type { Store } from '../store/store.ts';
import { findRow, readable } from './rows.ts';
import { type Trim, trimsOf } from './trims.ts';
import type { Link } from './verify.ts';

/**
 * What a signature is for (RFC 8725, section 3.11). It has no audience, subject or end either, so that nobody can take it for a token
 * that lets somebody in. That rows were deleted for their age has a type of its own: a checkpoint is no secret, and must not be worth a
 * permission to delete everything up to it.
 */
const TYP = { checkpoint: 'vouch-audit-checkpoint+jwt', deletion: 'vouch-audit-deletion+jwt' } as const;

/** Who signs checkpoints. */
export interface Signer {
  issuer: string;
  signingKey: SigningKey;
}

/** Whose signatures count. */
export interface Verifier {
  issuer: string;
  /** Finds the server's key with this name, whether it still signs or not. */
  findKey: (kid: string) => Promise<Pick<KnownKey, 'publicJwk' | 'revokedAt'> | undefined>;
}

/** A place in the chain, and when its row was written, in milliseconds since the epoch; 0 for the place before the first row. */
export interface Place extends Link {
  at: number;
}

/** A checkpoint whose signature was checked. */
export interface Checkpoint extends Place {
  /** Milliseconds since the epoch. */
  issuedAt: number;
  /** When its key was revoked: whoever had the key can have made it. Null if it was not. */
  keyRevokedAt: number | null;
}

/** The last row at this moment. */
export async function currentHead(store: Store): Promise<Place> {
  const head = await store
    .selectFrom('audit_head')
    .leftJoin('audit', 'audit.id', 'audit_head.last_id')
    .select(['last_id', 'last_hash', 'audit.at'])
    .where('audit_head.id', '=', 1)
    .executeTakeFirstOrThrow();
  return { id: Number(head.last_id), hash: head.last_hash, at: Number(head.at ?? 0) };
}

/** Signs that the trail had this place: a JWS in compact form (RFC 7515, section 7.1). @param now milliseconds since the epoch */
export function signCheckpoint(signer: Signer, place: Place, now: number): Promise<string> {
  return sign(signer, place, now, TYP.checkpoint);
}

/**
 * Signs that rows are deleted for their age up to this place, in the same form.
 *
 * @param oldest what was written then or before is too old, in milliseconds since the epoch
 * @param now milliseconds since the epoch
 */
export function signDeletion(signer: Signer, { id, hash }: Link, oldest: number, now: number): Promise<string> {
  return sign(signer, { id, hash, at: oldest }, now, TYP.deletion);
}

function sign({ issuer, signingKey }: Signer, { id, hash, at }: Place, now: number, typ: string): Promise<string> {
  return signJwt(signingKey, { iss: issuer, iat: Math.floor(now / 1000), id, hash, at }, typ);
}

/**
 * Reads a checkpoint.
 *
 * @param text what signCheckpoint has made
 * @throws Problem `checkpoint-refused` unless this server has signed it
 */
export function readCheckpoint(text: string, verifier: Verifier): Promise<Checkpoint> {
  return read(text, verifier, TYP.checkpoint);
}

async function read(text: string, { issuer, findKey }: Verifier, typ: string): Promise<Checkpoint> {
  try {
    const key = await findKey(String(decodeProtectedHeader(text).kid));
    if (key === undefined) throw refused('its key is not this server’s');
    const { payload } = await jwtVerify(text, await importJWK(key.publicJwk, 'ES256'), {
      issuer,
      typ,
      algorithms: ['ES256'],
      requiredClaims: ['iat', 'id', 'hash', 'at'],
    });
    const { id, hash, at, iat } = payload as { id: number; hash: string; at: number; iat: number };
    return { id, hash, at, issuedAt: iat * 1000, keyRevokedAt: key.revokedAt };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw refused(error.message);
    throw error;
  }
}

function refused(why: string): Problem {
  return new Problem({
    kind: 'checkpoint-refused',
    what: 'This is not a checkpoint that this server has signed.',
    why: `The check said: ${why}.`,
    fix: 'Give what `vouch-server audit checkpoint` has printed, with the issuer and the master key of the same server.',
  });
}

/** What became of a checkpoint's row. */
export type Found = 'present' | 'deleted' | 'never' | 'deletion-unsigned' | 'deleted-early';

/**
 * Whether the trail still has the head that a checkpoint recorded. Call it for a trail that verifyTrail found whole.
 *
 * `present`: the row is there, unchanged, or was the last one deleted. `deleted`: the row is gone, and the server has signed that it
 * deleted rows for their age up to a later one. `never`: the trail never had that head. `deletion-unsigned`: rows were deleted, these or
 * others, and the server has not signed that. `deleted-early`: the server has deleted the row, but it was not old enough: somebody has
 * given it another time, and all rows after it other hashes.
 *
 * @param base the last row that was deleted for its age
 */
export async function findCheckpoint(
  snapshot: Store,
  base: Link,
  checkpoint: Place,
  verifier: Verifier,
): Promise<Found> {
  const trims = await trimsOf(snapshot);
  const deletion = await deletionUpTo(base, trims.at(-1), verifier);
  if (base.id > 0 && deletion === undefined) return 'deletion-unsigned';
  if (checkpoint.id > base.id) {
    const row = await readable(findRow(snapshot, checkpoint.id));
    return row?.hash === checkpoint.hash ? 'present' : 'never';
  }
  if (deletion !== undefined && checkpoint.at > deletion.at) return 'deleted-early';
  if (checkpoint.id === base.id) return checkpoint.hash === base.hash ? 'present' : 'never';
  const known = trims.find(({ toId }) => toId === checkpoint.id);
  return known === undefined || known.hash === checkpoint.hash ? 'deleted' : 'never';
}

/**
 * When the key was revoked that signed the last deletion; null if it was not.
 *
 * @param base the last row that was deleted for its age
 */
export async function deletionKeyRevokedAt(snapshot: Store, base: Link, verifier: Verifier): Promise<number | null> {
  const deletion = await deletionUpTo(base, (await trimsOf(snapshot)).at(-1), verifier);
  return deletion?.keyRevokedAt ?? null;
}

/** The deletion up to the base, if the server has signed it. */
async function deletionUpTo(base: Link, last: Trim | undefined, verifier: Verifier): Promise<Checkpoint | undefined> {
  if (last === undefined) return undefined;
  const signed = await read(last.signed, verifier, TYP.deletion).catch((error: unknown) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  return signed?.id === base.id && signed.hash === base.hash ? signed : undefined;
}
