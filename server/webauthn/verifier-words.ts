import { FaultyRegistration, type RegistrationFault } from './registration-fault.ts';

/**
 * SimpleWebAuthn's words, in the order of their checks. A message that is not here is 'other': nothing depends on it but the log and the
 * page's words.
 */
const WORDS: [RegExp, RegistrationFault][] = [
  [/^Unexpected registration response type/, 'ceremony-type'],
  [/^Unexpected registration response origin/, 'origin'],
  [/^(Unexpected credential type|Missing credential ID|Credential ID was not base64url)/, 'credential-type'],
  [/^Unexpected RP ID hash/, 'rp-id'],
  [/^User presence was required/, 'user-presence'],
  [/^Single-device credential indicated that it was backed up/, 'backup-eligible'],
  [
    /^(Authenticator data was|Leftover bytes|Malformed CBOR|Invalid typed array length|Offset is outside)/,
    'authenticator-data',
  ],
  [/^No (credential ID|public key|AAGUID) was/, 'no-credential'],
  [/^(Unexpected public key alg|Credential public key was missing numeric alg)/, 'algorithm'],
  [/^Attestation statement (did not contain|contained invalid) alg/, 'statement-algorithm'],
  [/^Certificate (OU|CN|O|C) was/, 'certificate-subject'],
  [/^Certificate basic constraints CA/, 'certificate-authority'],
  [/^Certificate version/, 'certificate-version'],
  [/^Certificate not good (before|after)/, 'certificate-validity'],
  [/^Certificate extension id-fido-gen-ce-aaguid/, 'certificate-model'],
  [/^AAGUID ".*" was not expected value/, 'u2f-model'],
];

/** What an error of SimpleWebAuthn's or of ours means. */
export function faultOf(error: Error): RegistrationFault {
  if (error instanceof FaultyRegistration) return error.fault;
  return WORDS.find(([words]) => words.test(error.message))?.[1] ?? 'other';
}
