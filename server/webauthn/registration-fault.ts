/**
 * What is wrong with a registration (WebAuthn, section 7.1), besides the administrator's rules on keys (`KeyRefusal`): the member `reason`
 * of a `key-refused`.
 */
export type RegistrationFault =
  | 'framed'
  | 'ceremony-type'
  | 'origin'
  | 'credential-type'
  | 'rp-id'
  | 'user-presence'
  | 'backup-eligible'
  | 'authenticator-data'
  | 'no-credential'
  | 'credential-id-mismatch'
  | 'credential-id-length'
  | 'algorithm'
  | 'public-key'
  | 'attestation-object'
  | 'attestation-format'
  | 'statement'
  | 'statement-algorithm'
  | 'certificate-list'
  | 'certificate-subject'
  | 'certificate-authority'
  | 'certificate-version'
  | 'certificate-validity'
  | 'certificate-model'
  | 'u2f-model'
  | 'signature'
  | 'already-enrolled'
  | 'other';

/** An error whose fault is known. The message is only for the log. */
export class FaultyRegistration extends Error {
  readonly fault: RegistrationFault;

  constructor(fault: RegistrationFault, message: string) {
    super(message);
    this.name = 'FaultyRegistration';
    this.fault = fault;
  }
}
