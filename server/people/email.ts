/**
 * Brings an e-mail address into the one form that everything uses, or says why it cannot be used.
 *
 * AWS takes it as the role session's name and as its source identity, and both are `[\w+=,.@-]{2,64}` (STS API reference,
 * AssumeRoleWithWebIdentity, RoleSessionName).
 *
 * @returns the address in lower case
 * @throws TypeError with a sentence for the administrator
 */
export function normalizeEmail(value: string): string {
  const email = value.trim().toLowerCase();
  if (email.length > 64) {
    throw new TypeError(`The address has ${email.length} characters; AWS takes session names of at most 64`);
  }
  const foreign = /[^a-z0-9_+=,.@-]/.exec(email);
  if (foreign) {
    throw new TypeError(
      `The address holds ${JSON.stringify(foreign[0])}; AWS takes session names of letters, digits and _+=,.@- alone`,
    );
  }
  if (!/^[^@]+@[^@.]+(\.[^@.]+)+$/.test(email)) {
    throw new TypeError(`${JSON.stringify(value)} is not an e-mail address such as alice@example.com`);
  }
  return email;
}
