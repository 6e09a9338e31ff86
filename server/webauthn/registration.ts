import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import type { Config } from '../config/config.ts';
import type { Context } from '../context.ts';
import { knownModel } from '../key-policy/models.ts';
import { Problem } from '../problem/problem.ts';
import { CEREMONY_MS, issueChallenge } from './challenges.ts';
import { useClientData } from './client-data.ts';
import { ALGORITHMS, checkPublicKey } from './public-key.ts';
import { verifierProblem } from './verifier-problem.ts';

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
  // Nobody may frame our pages (WebAuthn, section 7.1, steps 10 and 11).
  if (clientData.framed) throw refused(new Error('the page was in another site’s frame'));

  const verified = await verifyRegistrationResponse({
    response,
    expectedChallenge: clientData.challenge,
    expectedOrigin: context.config.issuer,
    expectedRPID: context.config.rpId,
    requireUserPresence: true,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((error: Error) => {
    throw refused(error);
  });
  const info = verified.registrationInfo;
  if (!verified.verified || info === undefined) throw refused(new Error('the attestation does not verify'));

  // A session's `hwk` means that the private key never leaves the hardware; passkeys that sync to a cloud do not qualify (WebAuthn,
  // section 6.1.3, backup eligibility).
  if (info.credentialDeviceType !== 'singleDevice') {
    throw new Problem({
      kind: 'key-refused',
      what: 'This passkey can be copied to other devices',
      fix: 'Use a hardware security key: its secret never leaves it.',
      reason: 'the credential is eligible for backup',
    });
  }

  try {
    checkCredentialId(info.credential.id, response.id);
    checkPublicKey(info.credential.publicKey);
  } catch (error) {
    throw refused(error as Error);
  }

  checkPolicy(context.config, info.aaguid, showsCertificate(info.attestationObject));
  return {
    id: info.credential.id,
    publicKey: Buffer.from(info.credential.publicKey).toString('base64url'),
    counter: info.credential.counter,
    // The browser's list of transports is only a hint for later dialogues, so only its length and form are checked.
    transports: readTransports(info.credential.transports),
    aaguid: info.aaguid,
    model: knownModel(info.aaguid),
    attestation: null,
  };
}

/** Lengths of a credential ID in bytes (WebAuthn, section 4, "Credential ID"; section 7.1, step 25). */
const [SHORTEST_ID, LONGEST_ID] = [16, 1023];

/** Checks that the authenticator signed the ID that the browser names: the key will be looked up by that one. */
function checkCredentialId(signed: string, named: string): void {
  if (signed !== named) throw new Error('the credential ID is not the one in the authenticator data');
  const { length } = Buffer.from(signed, 'base64url');
  if (length < SHORTEST_ID || length > LONGEST_ID) throw new Error(`the credential ID has ${length} bytes`);
}

/**
 * Whether the attestation came with certificates, which the verifier has then checked: it must have one of the two formats of security
 * keys, and a list of byte strings that is not empty. With null, false, 0 or empty text the verifier checks nothing.
 */
function showsCertificate(attestationObject: Uint8Array): boolean {
  const attestation = decodeAttestationObject(Uint8Array.from(attestationObject));
  const x5c: unknown = attestation.get('attStmt').get('x5c');
  return (
    ['packed', 'fido-u2f'].includes(attestation.get('fmt')) &&
    Array.isArray(x5c) &&
    x5c.length > 0 &&
    x5c.every((certificate) => certificate instanceof Uint8Array && certificate.length > 0)
  );
}

function checkPolicy(config: Config, aaguid: string, hasCertificate: boolean): void {
  if (config.allowedAaguids.length > 0 && !config.allowedAaguids.includes(aaguid)) {
    throw new Problem({
      kind: 'key-refused',
      what: 'This model of key is not allowed here',
      fix: 'Ask your administrator which models are, and use one of them.',
      reason: `AAGUID ${aaguid} is not in VOUCH_ALLOWED_AAGUIDS`,
    });
  }
  if (config.requireAttestationCert && !hasCertificate) {
    throw new Problem({
      kind: 'key-refused',
      what: 'This key did not prove which model it is',
      fix: 'Allow the browser to show the key’s make and model when it asks, or use another key.',
      reason: 'no attestation certificate',
    });
  }
}

function readTransports(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item) => typeof item === 'string' && /^[a-z-]{1,20}$/.test(item)).slice(0, 8);
}

function refused(error: Error): Problem {
  return verifierProblem(error, 'key-refused', 'Try again, or use another key.');
}
