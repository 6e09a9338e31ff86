/**
 * The secret by which the server knows this page. Others may learn an enrolment's address; the server gives the secret to the
 * first page that opens it. The page keeps it for this tab and origin alone, so that a reload goes on; if the browser stores
 * nothing, for as long as the page lives.
 */
const secrets = new Map<string, string>();

const storageKey = (ticket: string) => `vouch-page ${ticket}`;

/** Keeps the secret that the server has just given, in place of the one before. */
export function keepPageSecret(ticket: string, secret: string | undefined): void {
  if (secret === undefined) return;
  secrets.set(ticket, secret);
  try {
    sessionStorage.setItem(storageKey(ticket), secret);
  } catch {
    // The browser may store nothing.
  }
}

/** The header that says which page this is. */
export function pageHeader(ticket: string): Record<string, string> {
  const secret = secrets.get(ticket) ?? stored(ticket);
  return secret === undefined ? {} : { 'vouch-page': secret };
}

function stored(ticket: string): string | undefined {
  try {
    return sessionStorage.getItem(storageKey(ticket)) ?? undefined;
  } catch {
    return undefined;
  }
}
