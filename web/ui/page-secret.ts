import { forgetInTab, keepInTab, keptInTab } from './tab-storage.ts';

/**
 * The secrets by which the server recognises this page: an enrolment's, and that of my account's web session. The server gives
 * each to one page only. Without storage they are only in memory.
 */
const secrets = new Map<string, string>();

const storageKey = (what: string) => `vouch-page ${what}`;

/** Keeps the page's new secret, and drops the previous one. @param what what it is for: an enrolment's ticket, or "account" */
export function keepPageSecret(what: string, secret: string | undefined): void {
  if (secret === undefined) return;
  secrets.set(what, secret);
  keepInTab(storageKey(what), secret);
}

export function forgetPageSecret(what: string): void {
  secrets.delete(what);
  forgetInTab(storageKey(what));
}

/** The header that identifies this page. */
export function pageHeader(what: string): Record<string, string> {
  const secret = secrets.get(what) ?? keptInTab(storageKey(what));
  return secret === undefined ? {} : { 'vouch-page': secret };
}
