import { Problem } from '../problem/problem.ts';

/**
 * Converts an e-mail address into its canonical form.
 *
 * It becomes the AWS session's name and source identity, both `[\w+=,.@-]{2,64}` (STS API reference, AssumeRoleWithWebIdentity,
 * RoleSessionName), and a session tag, which may hold no comma (STS API reference, Tag).
 *
 * @returns the address in lower case
 * @throws Problem `email-refused`
 */
export function normalizeEmail(value: string): string {
  const written = value.trim();
  if (written.length > 64) {
    throw emailRefused(`The address has ${written.length} characters; AWS takes session names of at most 64`);
  }
  // Checked before lower-casing, which turns some other letters into plain ones (K, U+212A).
  const foreign = /[^A-Za-z0-9_+=.@-]/.exec(written);
  if (foreign) {
    throw emailRefused(
      `The address holds ${JSON.stringify(foreign[0])}; AWS takes only letters, digits and _+=.@- in session names and tags`,
    );
  }
  const email = written.toLowerCase();
  if (!/^[^@]+@[^@.]+(\.[^@.]+)+$/.test(email)) {
    throw emailRefused(`${JSON.stringify(value)} is not an e-mail address such as alice@example.com`);
  }
  return email;
}

function emailRefused(what: string): Problem {
  return new Problem({ kind: 'email-refused', what });
}
