/** Text that shares at least this many characters in a row with a secret is hidden. */
const partLength = 16;

/**
 * Hides our secrets in a text from a server. The server could quote a secret that we sent, whole or in part, and its text ends up on
 * terminals and in logs.
 *
 * @param secrets the secrets to hide
 */
export function redact(text: string, secrets: readonly string[]): string {
  const whole = secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, '[hidden]'), text);
  // The characters of tokens and of AWS's secrets.
  return whole.replaceAll(/[\w.~+/=-]{16,}/g, (run) =>
    secrets.some((secret) => overlaps(run, secret)) ? '[hidden]' : run,
  );
}

function overlaps(run: string, secret: string): boolean {
  for (let at = 0; at + partLength <= run.length; at++) {
    if (secret.includes(run.slice(at, at + partLength))) return true;
  }
  return false;
}
