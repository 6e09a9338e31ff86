/**
 * The secrets by which the server recognises this page: an enrolment's, and that of my account's web session. The server gives
 * each to one page only. Kept in sessionStorage, which this tab alone has, for this origin and port alone, so that a reload
 * works; without storage, only in memory.
 */
const secrets = new Map<string, string>();

const storageKey = (what: string) => `vouch-page ${what}`;

/** Keeps the page's new secret, and drops the previous one. @param what what it is for: an enrolment's ticket, or "account" */
export function keepPageSecret(what: string, secret: string | undefined): void {
  if (secret === undefined) return;
  secrets.set(what, secret);
  try {
    sessionStorage.setItem(storageKey(what), secret);
  } catch {
    // The browser may store nothing.
  }
}

export function forgetPageSecret(what: string): void {
  secrets.delete(what);
  try {
    sessionStorage.removeItem(storageKey(what));
  } catch {
    // There is nothing to forget.
  }
}

/** The header that identifies this page. */
export function pageHeader(what: string): Record<string, string> {
  const secret = secrets.get(what) ?? stored(what);
  return secret === undefined ? {} : { 'vouch-page': secret };
}

function stored(what: string): string | undefined {
  try {
    return sessionStorage.getItem(storageKey(what)) ?? undefined;
  } catch {
    return undefined;
  }
}
