/**
 * The secret by which the server knows this page: of an enrolment that others may know the address of, it is the page that
 * opened it first. It is kept for this tab and this origin alone, so that a reload goes on; where the browser keeps nothing, for
 * as long as the page lives.
 */
const kept = new Map<string, string>();

const name = (ticket: string) => `vouch-page ${ticket}`;

/** Keeps a secret that the server has given, in place of the one before. */
export function keepPageSecret(ticket: string, secret: string | undefined): void {
  if (secret === undefined) return;
  kept.set(ticket, secret);
  try {
    sessionStorage.setItem(name(ticket), secret);
  } catch {
    // The browser was told to keep nothing.
  }
}

/** The header that says which page this is. */
export function pageHeader(ticket: string): Record<string, string> {
  const secret = kept.get(ticket) ?? stored(ticket);
  return secret === undefined ? {} : { 'vouch-page': secret };
}

function stored(ticket: string): string | undefined {
  try {
    return sessionStorage.getItem(name(ticket)) ?? undefined;
  } catch {
    return undefined;
  }
}
