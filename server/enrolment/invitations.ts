import { randomBytes, randomUUID } from 'node:crypto';
import type { ExpressionBuilder } from 'kysely';
import { audit } from '../audit/audit.ts';
import { normalizeEmail } from '../people/email.ts';
import { hash } from '../secrets.ts';
import type { PersonRole, Schema } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** How long an invitation is good for, in milliseconds: one that replaces keys is worth more to a thief. */
const LIFETIME_MS = { ordinary: 72 * 3600 * 1000, replacesKeys: 24 * 3600 * 1000 };

/** Crockford's alphabet, in which no character is mistaken for another. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export interface Invitation {
  email: string;
  /** The one-time secret, 130 bits in groups of six characters. It is shown once and stored as a hash. */
  code: string;
  expiresAt: number;
}

export interface InvitationRequest {
  email: string;
  role?: PersonRole;
  /** Whether the new key takes the place of all others. */
  replaceKeys?: boolean;
  /** The end date that the person gets, in milliseconds since the epoch. */
  endsAt?: number | null;
}

/**
 * Makes an invitation for an address, and voids an open one.
 *
 * @param actor who invites
 * @param now milliseconds since the epoch
 * @throws Problem `email-refused` when AWS does not take the address as a session name
 */
export async function invite(
  store: Store,
  now: number,
  request: InvitationRequest,
  actor: string,
): Promise<Invitation> {
  const email = normalizeEmail(request.email);
  const { role = 'member', replaceKeys = false, endsAt = null } = request;
  const code = makeCode();
  const expiresAt = now + (replaceKeys ? LIFETIME_MS.replacesKeys : LIFETIME_MS.ordinary);
  await store.transaction().execute(async (transaction) => {
    await transaction
      .updateTable('invitations')
      .set({ revoked_at: now })
      .where('email', '=', email)
      .where(isOpen(now))
      .execute();
    await transaction
      .insertInto('invitations')
      .values({
        id: randomUUID(),
        code_hash: hashCode(code),
        email,
        role,
        replace_keys: replaceKeys ? 1 : 0,
        ends_at: endsAt,
        invited_by: actor,
        created_at: now,
        expires_at: expiresAt,
        used_at: null,
        revoked_at: null,
      })
      .execute();
    const detail = { role, replaceKeys, endsAt, expiresAt };
    await audit(transaction, now, { event: 'invited', actor, subject: email, detail });
  });
  return { email, code, expiresAt };
}

/** Finds the open invitation that a code belongs to. */
export async function findOpenInvitation(store: Store, code: string, now: number) {
  return store
    .selectFrom('invitations')
    .selectAll()
    .where('code_hash', '=', hashCode(code))
    .where(isOpen(now))
    .executeTakeFirst();
}

/** Uses an invitation up, in one atomic statement: of two attempts, one succeeds. */
export async function useInvitation(store: Store, id: string, now: number) {
  return store
    .updateTable('invitations')
    .set({ used_at: now })
    .where('id', '=', id)
    .where(isOpen(now))
    .returningAll()
    .executeTakeFirst();
}

/** An open invitation is neither used nor revoked nor expired. */
const isOpen = (now: number) => (is: ExpressionBuilder<Schema, 'invitations'>) =>
  is.and([is('used_at', 'is', null), is('revoked_at', 'is', null), is('expires_at', '>', now)]);

function makeCode(): string {
  const characters = Array.from(randomBytes(26), (byte) => ALPHABET[byte % 32]).join('');
  return (characters.match(/.{1,6}/g) ?? []).join('-');
}

/** People may type a code in lower case, without hyphens or with other dashes, with O for 0 and I or L for 1 (Crockford's base 32). */
function hashCode(code: string): string {
  const typed = code
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  return hash(typed);
}
