import type { PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { audit } from '../audit/audit.ts';
import { countingRefusals } from '../audit/refusals.ts';
import type { Context } from '../context.ts';
import { iconPath } from '../key-policy/icons.ts';
import { judgeStoredKey } from '../key-policy/stored-key.ts';
import { checkRoom, insertKey, keysOf, nameFor } from '../people/keys.ts';
import { findPerson } from '../people/people.ts';
import { removeKey } from '../people/remove-key.ts';
import { Problem } from '../problem/problem.ts';
import type { Store, StoreTransaction } from '../store/store.ts';
import { registrationOptions, verifyRegistration } from '../webauthn/registration.ts';
import { credentialsOfSessions } from './aws-credentials.ts';
import { type Caller, changeAs, checkTouch } from './caller.ts';

/** One of the caller's keys. Times are milliseconds since the epoch. */
export interface OwnKey {
  id: string;
  name: string;
  model: string | null;
  /** The path of the model's picture. */
  icon: string | null;
  addedAt: number;
  lastUsedAt: number | null;
  /** Whether this session began with it. */
  current: boolean;
  /** Whether the administrator's rules on keys let it sign in. */
  counts: boolean;
}

/** The caller's keys, the oldest first. */
export async function listOwnKeys(context: Context, caller: Caller, store: Store = context.store): Promise<OwnKey[]> {
  const rows = await store
    .selectFrom('keys')
    .where('person_id', '=', caller.personId)
    .where('removed_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .select(['id', 'name', 'model', 'aaguid', 'attestation', 'created_at', 'last_used_at'])
    .execute();
  const now = context.now();
  const policy = context.keyPolicy();
  return rows.map((row) => {
    const { model, refusal } = judgeStoredKey(policy, row, now);
    return {
      id: row.id,
      name: row.name,
      model: model ?? row.model,
      icon: iconPath(policy.metadata, row.aaguid),
      addedAt: row.created_at,
      lastUsedAt: row.last_used_at,
      current: row.id === caller.keyId,
      counts: refusal === undefined,
    };
  });
}

/**
 * Gives one of the caller's keys another name.
 *
 * @throws Problem `not-found`, or `name-taken` when another of their keys has it
 */
export async function renameKey(context: Context, caller: Caller, id: string, name: string): Promise<void> {
  await changeAs(context, caller, async (transaction, now) => {
    const before = await ownKey(transaction, caller, id);
    if (before.name === name) return;
    const keys = await listOwnKeys(context, caller, transaction);
    if (keys.some((key) => key.name === name)) {
      throw new Problem({
        kind: 'name-taken',
        what: 'Another of your keys has this name',
        fix: 'Choose a name that none of your keys has.',
      });
    }
    await transaction.updateTable('keys').set({ name }).where('id', '=', id).execute();
    await audit(transaction, now, {
      event: 'key-renamed',
      actor: caller.email,
      subject: caller.email,
      from: caller.from,
      keyId: id,
      sessionId: caller.session.id,
      detail: { name, before: before.name },
    });
  });
}

/** What ended with a removed key. */
export interface Removal {
  /** How many agents' sessions ended with the key. */
  sessions: number;
  /** Until when AWS may honour what these sessions got, in milliseconds since the epoch. */
  awsCredentialsUntil: number | undefined;
  /** Whether the caller's own session ended too. */
  signedOut: boolean;
}

/**
 * Removes one of the caller's keys, with its sessions, after a fresh touch. The last key that the rules let sign in stays: the person
 * could not sign in any more.
 *
 * @throws Problem `not-found`, `last-key` or `touch-needed`
 */
export async function removeOwnKey(context: Context, caller: Caller, id: string): Promise<Removal> {
  const sessions = await changeAs(context, caller, async (transaction, now) => {
    await ownKey(transaction, caller, id);
    const others = (await listOwnKeys(context, caller, transaction)).filter((key) => key.id !== id);
    if (!others.some(({ counts }) => counts)) {
      throw new Problem({
        kind: 'last-key',
        what: others.length === 0 ? 'This is your only key' : 'This is your only key that is accepted here',
        fix: 'Without it you could not sign in any more. Add another one first. If you have lost it, ask your administrator to replace it.',
      });
    }
    checkTouch(now, caller);
    const { email, from, session } = caller;
    const removed = await removeKey(transaction, now, id, { actor: email, from, sessionId: session.id });
    return removed?.sessions ?? [];
  });
  return {
    sessions: sessions.length,
    awsCredentialsUntil: await credentialsOfSessions(context, sessions),
    signedOut: id === caller.keyId,
  };
}

/**
 * Options for a further key, after a fresh touch. Its challenge is bound to the web session.
 *
 * @throws Problem `touch-needed`, or `too-many-keys`
 */
export async function newKeyOptions(context: Context, caller: Caller): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const keys = await keysOf(context.store, caller.email);
  checkRoom(keys.length);
  checkTouch(context.now(), caller);
  const person = await findPerson(context.store, caller.email);
  const owner = { email: caller.email, userHandle: person?.user_handle ?? '' };
  return registrationOptions(context, caller.session.id, owner, keys);
}

/**
 * Adds a further key. Its challenge proves the fresh touch: it was given out after one, and is valid for 5 minutes. The invitation is the
 * person's own touch.
 *
 * @param wanted its name; without one, its model's
 * @throws Problem when the registration is refused, or when the session has ended since
 */
export async function addKey(
  context: Context,
  caller: Caller,
  response: RegistrationResponseJSON,
  wanted: string | null,
): Promise<{ id: string; name: string; model: string | null }> {
  const refusal = {
    event: 'enrolment-refused' as const,
    email: caller.email,
    keyId: response.id,
    from: caller.from,
  };
  return countingRefusals(context, refusal, async () => {
    const key = await verifyRegistration(context, caller.session.id, response);
    return changeAs(context, caller, async (transaction, now) => {
      const name = await nameFor(transaction, caller.personId, wanted, key);
      await insertKey(transaction, caller.personId, name, key, now);
      await audit(transaction, now, {
        event: 'enrolled',
        actor: caller.email,
        subject: caller.email,
        from: caller.from,
        keyId: key.id,
        sessionId: caller.session.id,
        detail: { name, model: key.model, aaguid: key.aaguid, confirmedBy: caller.keyId },
      });
      return { id: key.id, name, model: key.model };
    });
  });
}

/** @throws Problem `not-found` for a key that is not the caller's, as for one that does not exist */
async function ownKey(transaction: StoreTransaction, { personId }: Caller, id: string): Promise<{ name: string }> {
  const key = await transaction
    .selectFrom('keys')
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .where('removed_at', 'is', null)
    .select('name')
    .executeTakeFirst();
  if (key !== undefined) return key;
  throw new Problem({ kind: 'not-found', what: 'You have no such key', fix: 'Look at the list of your keys again.' });
}
