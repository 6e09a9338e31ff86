import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
} from '@simplewebauthn/server';
import type { Context } from '../context.ts';
import { judgeStoredKey } from '../key-policy/stored-key.ts';
import { Problem } from '../problem/problem.ts';
import { isShutOut, notShutOut } from '../store/shut-out.ts';
import { statement } from '../store/statement.ts';
import type { Store } from '../store/store.ts';
import { CEREMONY_MS, issueChallenge, type Purpose } from './challenges.ts';
import { type ClientData, useClientData } from './client-data.ts';
import { keyRefused } from './key-refused.ts';
import { checkUserVerified } from './user-verification.ts';
import { verifierProblem } from './verifier-problem.ts';

/** A key that has signed, and its owner. */
export interface AssertedKey {
  keyId: string;
  keyName: string;
  personId: string;
  email: string;
  /** The signature counter from the key, which `acceptCounter` stores. */
  counter: number;
}

/**
 * Options for an assertion by any enrolled key (discoverable, so nobody types a user name) or by one of the given keys.
 *
 * @see WebAuthn, section 5.5 (PublicKeyCredentialRequestOptions)
 */
export async function assertionOptions(
  context: Context,
  purpose: Purpose,
  binding: string,
  keys: { id: string; transports: string[] }[] = [],
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const options = await generateAuthenticationOptions({
    rpID: context.config.rpId,
    challenge: Buffer.from(await issueChallenge(context.store, context.now(), purpose, binding), 'base64url'),
    timeout: CEREMONY_MS,
    userVerification: 'required',
    ...(keys.length > 0 ? { allowCredentials: keys } : {}),
  });
  return { ...options, hints: ['security-key'] };
}

/**
 * Verifies an assertion (WebAuthn, section 7.2): challenge, origin, RP ID, user presence and verification, signature. The key
 * must not be removed, must still count, and its owner must not be shut out. The caller must accept the counter, in the transaction of the
 * sign-in.
 *
 * @throws Problem `challenge-used`, `unknown-key`, `user-not-verified` or `assertion-refused`; `person-shut-out` when its owner is;
 *   `key-refused` when the administrator's rules on keys refuse it
 */
export async function verifyAssertion(
  context: Context,
  purpose: Purpose,
  binding: string,
  response: AuthenticationResponseJSON,
): Promise<AssertedKey> {
  const clientData = await useClientData(context, purpose, binding, response.response.clientDataJSON);
  return verifyAnswer(context, purpose, clientData, response);
}

/**
 * The same for a challenge that the caller uses up (`withClientData`).
 *
 * @throws as verifyAssertion, but for `challenge-used`
 */
export async function verifyAnswer(
  context: Context,
  purpose: Purpose,
  clientData: ClientData,
  response: AuthenticationResponseJSON,
): Promise<AssertedKey> {
  const [key] = await findKey(context.store, { id: response.id });
  if (key === undefined) throw unknownKey();

  // Nobody may frame our pages (WebAuthn, section 7.2, steps 13 and 14).
  if (clientData.framed) throw refused(new Error('the page was in another site’s frame'));

  // The key names its owner, which must be the one that we know. It may name nobody only if we asked for this person's keys (WebAuthn,
  // section 7.2, step 6).
  const { userHandle } = response.response;
  const askedForTheirs = purpose === 'confirm-enrolment' || purpose === 'account-touch';
  if (userHandle !== key.user_handle && !(userHandle === undefined && askedForTheirs)) {
    throw refused(new Error('the user handle is not that of the key'));
  }

  const { authenticatorData } = response.response;
  checkUserVerified(Buffer.from(String(authenticatorData), 'base64url'));

  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: clientData.challenge,
      expectedOrigin: context.config.issuer,
      expectedRPID: context.config.rpId,
      requireUserVerification: true,
      credential: {
        id: key.id,
        publicKey: Buffer.from(key.public_key, 'base64url'),
        // 0 switches the library's check off: acceptCounter checks it atomically.
        counter: 0,
      },
    });
    if (!verified) throw new Error('the signature is not the key’s');
    // Whether a credential can be copied is fixed when it is made (WebAuthn, section 7.2, step 19), and ours cannot be.
    if (authenticationInfo.credentialDeviceType !== 'singleDevice') {
      throw new Error('the credential has become eligible for backup since it was enrolled');
    }
    // Only to the holder of the key: others learn nothing of a person.
    if (isShutOut(key, context.now())) throw shutOut(key);
    checkRules(context, key);
    return {
      keyId: key.id,
      keyName: key.name,
      personId: key.person_id,
      email: key.email,
      counter: authenticationInfo.newCounter,
    };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw refused(error as Error);
  }
}

/** The rules may have changed since the key was enrolled, and what is known about its model. */
function checkRules(context: Context, key: Parameters<typeof judgeStoredKey>[1]): void {
  const judgement = judgeStoredKey(context.keyPolicy(), key, context.now());
  if (judgement.refusal !== undefined) throw keyRefused(judgement, judgement.refusal, true);
}

/**
 * Stores a key's new signature counter, which must have grown unless the key does not count (WebAuthn, section 7.2, step 22). One
 * atomic statement, so that a clone that signs at the same moment loses.
 *
 * @throws Problem `counter-went-back`, or `unknown-key` when the key was removed or its owner shut out since it was verified
 */
export async function acceptCounter(store: Store, key: AssertedKey, now: number): Promise<void> {
  const { keyId, counter } = key;
  const [accepted] = await (counter === 0 ? useUncounted : useCounted)(store, { keyId, counter, now });
  if (accepted === undefined) {
    if ((await findUsableKey(store, key.keyId, now)) === undefined) throw unknownKey();
    throw new Problem({
      kind: 'counter-went-back',
      what: 'This key’s signature counter went back',
      fix: 'There may be a copy of this key. Tell your administrator, and do not use it until they have looked.',
    });
  }
}

interface Use {
  keyId: string;
  counter: number;
  now: number;
}

const useCounted = statement((store, use: Use) => keyUse(store, use).where('counter', '<', use.counter));

/** For a key that does not count. */
const useUncounted = statement((store, use: Use) => keyUse(store, use).where('counter', '=', 0));

/** Stores the counter of a key that can still be used. */
function keyUse(store: Store, { keyId, counter, now }: Use) {
  return store
    .updateTable('keys')
    .set({ counter, last_used_at: now })
    .where('id', '=', keyId)
    .where('removed_at', 'is', null)
    .where((is) =>
      is.exists(
        is.selectFrom('people').select('people.id').whereRef('people.id', '=', 'keys.person_id').where(notShutOut(now)),
      ),
    )
    .returning('id');
}

/** A key that was not removed, and its owner, who may be shut out. */
const findKey = statement((store, { id }: { id: string }) => keys(store, id));

function findUsableKey(store: Store, id: string, now: number) {
  return keys(store, id).where(notShutOut(now)).executeTakeFirst();
}

function keys(store: Store, id: string) {
  return store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('keys.id', '=', id)
    .where('keys.removed_at', 'is', null)
    .select(['keys.id', 'keys.name', 'keys.public_key', 'keys.person_id', 'people.email', 'people.user_handle'])
    .select(['keys.aaguid', 'keys.attestation', 'keys.created_at', 'people.disabled_at', 'people.ends_at']);
}

function shutOut({ disabled_at }: { disabled_at: number | null }): Problem {
  return new Problem({
    kind: 'person-shut-out',
    what: `Your access here has ${disabled_at === null ? 'ended' : 'been disabled'}`,
    fix: 'If that is wrong, ask your administrator.',
  });
}

function unknownKey(): Problem {
  return new Problem({
    kind: 'unknown-key',
    what: 'This key is not enrolled here',
    fix: 'Use a key that you have enrolled, or ask your administrator for an invitation.',
  });
}

/** For the answer of an enrolled key where only a certain person's keys count. */
export function foreignKey(): Problem {
  return new Problem({
    kind: 'unknown-key',
    what: 'This key is another person’s',
    fix: 'Use a key that you have enrolled yourself.',
  });
}

function refused(error: Error): Problem {
  return verifierProblem(error, 'assertion-refused', 'Try again from your terminal.');
}
