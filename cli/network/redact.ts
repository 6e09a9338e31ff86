/** How many characters of a secret in a row, in text from elsewhere, are taken for a part of it. */
const telling = 16;

/**
 * Takes our secrets out of what somebody else wrote: whoever was sent one could quote it, whole or in part, and what they wrote
 * ends up on terminals and in logs.
 *
 * @param secrets what must not be seen
 */
export function redact(text: string, secrets: readonly string[]): string {
  const whole = secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, '[hidden]'), text);
  // What tokens and AWS's secrets are made of.
  return whole.replaceAll(/[\w.~+/=-]{16,}/g, (run) =>
    secrets.some((secret) => overlaps(run, secret)) ? '[hidden]' : run,
  );
}

function overlaps(run: string, secret: string): boolean {
  for (let at = 0; at + telling <= run.length; at++) {
    if (secret.includes(run.slice(at, at + telling))) return true;
  }
  return false;
}
