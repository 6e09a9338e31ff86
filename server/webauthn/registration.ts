import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { cose, decodeCredentialPublicKey } from '@simplewebauthn/server/helpers';
import type { Context } from '../context.ts';
import { judgeKey } from '../key-policy/judge.ts';
import { Problem } from '../problem/problem.ts';
import { readAttestationObject } from './attestation-object.ts';
import { CEREMONY_MS, issueChallenge } from './challenges.ts';
import { type ClientData, useClientData } from './client-data.ts';
import { keyRefused } from './key-refused.ts';
import { ALGORITHMS, checkPublicKey } from './public-key.ts';
import { FaultyRegistration, type RegistrationFault } from './registration-fault.ts';
import { checkUserVerified } from './user-verification.ts';
import { verifierProblem } from './verifier-problem.ts';
import { faultOf } from './verifier-words.ts';

/** A verified key, ready to be stored. */
export interface NewKey {
  id: string;
  publicKey: string;
  counter: number;
  transports: string[];
  aaguid: string;
  model: string | null;
  /** JSON `{fmt, x5c}`, or null when the key showed no certificate. */
  attestation: string | null;
}

/**
 * Options for a new key: a roaming one that stores the credential itself and verifies its user.
 *
 * @param person the owner; `userHandle` is base64url
 * @param exclude the person's present keys, because a key is enrolled only once
 * @see WebAuthn, section 5.4 (PublicKeyCredentialCreationOptions)
 */
export async function registrationOptions(
  context: Context,
  binding: string,
  person: { email: string; userHandle: string },
  exclude: { id: string; transports: string[] }[],
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const options = await generateRegistrationOptions({
    rpName: 'Vouch',
    rpID: context.config.rpId,
    userName: person.email,
    userDisplayName: person.email,
    userID: Buffer.from(person.userHandle, 'base64url'),
    challenge: Buffer.from(await issueChallenge(context.store, context.now(), 'enrol', binding), 'base64url'),
    timeout: CEREMONY_MS,
    attestationType: 'direct',
    excludeCredentials: exclude,
    supportedAlgorithmIDs: ALGORITHMS,
    authenticatorSelection: {
      authenticatorAttachment: 'cross-platform',
      residentKey: 'required',
      userVerification: 'required',
    },
  });
  return { ...options, hints: ['security-key'] };
}

/**
 * Verifies a registration (WebAuthn, section 7.1): challenge, origin, RP ID, user verification, algorithm, attestation, and the
 * administrator's policy on models.
 *
 * @throws Problem `challenge-used`, `user-not-verified` or `key-refused`
 */
export async function verifyRegistration(
  context: Context,
  binding: string,
  response: RegistrationResponseJSON,
): Promise<NewKey> {
  const clientData = await useClientData(context, 'enrol', binding, response.response.clientDataJSON);
  try {
    return await verify(context, response, clientData);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw verifierProblem(error as Error, 'key-refused', 'Try again, or use another key.', {
      reason: faultOf(error as Error),
    });
  }
}

async function verify(context: Context, response: RegistrationResponseJSON, clientData: ClientData): Promise<NewKey> {
  // Nobody may frame our pages (WebAuthn, section 7.1, steps 10 and 11).
  if (clientData.framed) throw new FaultyRegistration('framed', 'the page was in another site’s frame');

  const { authData, attestation, selfAlgorithm } = readAttestationObject(response.response.attestationObject);
  checkUserVerified(authData);
  const { verified, registrationInfo: info } = await verifyRegistrationResponse({
    response,
    expectedChallenge: clientData.challenge,
    expectedOrigin: context.config.issuer,
    expectedRPID: context.config.rpId,
    requireUserPresence: true,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  });
  if (!verified) throw new FaultyRegistration('signature', 'the attestation does not verify');

  // A session's `hwk` means that the private key never leaves the hardware; passkeys that sync to a cloud do not qualify (WebAuthn,
  // section 6.1.3, backup eligibility).
  if (info.credentialDeviceType !== 'singleDevice') {
    throw new Problem({
      kind: 'key-refused',
      what: 'This passkey can be copied to other devices',
      fix: 'Use a hardware security key: its secret never leaves it.',
      reason: 'the credential is eligible for backup',
      members: { reason: 'backup-eligible' satisfies RegistrationFault },
    });
  }

  checkCredentialId(info.credential.id, response.id);
  checkKey(info.credential.publicKey, selfAlgorithm);
  const now = context.now();
  const judgement = judgeKey(context.keyPolicy(), { aaguid: info.aaguid, attestation, enrolledAt: now }, now);
  if (judgement.refusal !== undefined) throw keyRefused(judgement, judgement.refusal, false);
  return {
    id: info.credential.id,
    publicKey: Buffer.from(info.credential.publicKey).toString('base64url'),
    counter: info.credential.counter,
    // The browser's list of transports is only a hint for later dialogues, so only its length and form are checked.
    transports: readTransports(info.credential.transports),
    aaguid: info.aaguid,
    model: judgement.model,
    attestation: attestation === null ? null : JSON.stringify(attestation),
  };
}

/** Lengths of a credential ID in bytes (WebAuthn, section 4, "Credential ID"; section 7.1, step 25). */
const [SHORTEST_ID, LONGEST_ID] = [16, 1023];

/** Checks that the authenticator signed the ID that the browser names: the key will be looked up by that one. */
function checkCredentialId(signed: string, named: string): void {
  if (signed !== named) {
    throw new FaultyRegistration(
      'credential-id-mismatch',
      'the credential ID is not the one in the authenticator data',
    );
  }
  const { length } = Buffer.from(signed, 'base64url');
  if (length < SHORTEST_ID || length > LONGEST_ID) {
    throw new FaultyRegistration('credential-id-length', `the credential ID has ${length} bytes`);
  }
}

/**
 * Checks the public key, and that a key that attests itself does so with that key's algorithm (WebAuthn, section 8.2): the verifier takes
 * another.
 */
function checkKey(publicKey: Uint8Array, selfAlgorithm: unknown): void {
  try {
    checkPublicKey(publicKey);
  } catch (error) {
    throw new FaultyRegistration('public-key', (error as Error).message);
  }
  const { alg } = cose.COSEKEYS;
  if (selfAlgorithm !== undefined && selfAlgorithm !== decodeCredentialPublicKey(Uint8Array.from(publicKey)).get(alg)) {
    throw new FaultyRegistration('statement-algorithm', 'the attestation’s algorithm is not the credential’s');
  }
}

function readTransports(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item) => typeof item === 'string' && /^[a-z-]{1,20}$/.test(item)).slice(0, 8);
}
