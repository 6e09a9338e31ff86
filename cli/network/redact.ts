/** From this many characters in a row on, text that is also in a secret counts as a part of that secret. */
const partLength = 16;

/**
 * Hides our secrets in a text that another party wrote. A server that was sent a secret could quote it, whole or in part, and its
 * words end up on terminals and in logs.
 *
 * @param secrets what nobody may see
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
