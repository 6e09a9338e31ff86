/**
 * The secret by which the server recognises this page. Others may learn an enrolment's address, but the server gives the
 * secret only to the first page that opens it. Kept in sessionStorage, so that a reload works; without storage, only in
 * memory.
 */
const secrets = new Map<string, string>();

const storageKey = (ticket: string) => `vouch-page ${ticket}`;

/** Keeps the page's new secret, and drops the previous one. */
export function keepPageSecret(ticket: string, secret: string | undefined): void {
  if (secret === undefined) return;
  secrets.set(ticket, secret);
  try {
    sessionStorage.setItem(storageKey(ticket), secret);
  } catch {
    // The browser may store nothing.
  }
}

/** The header that identifies this page. */
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
