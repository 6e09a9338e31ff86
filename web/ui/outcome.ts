/** How the sign-in of this tab ended, for the page that the terminal then shows (`/signed-in`). */
export type Outcome = { signedIn: Session } | 'cancelled';

export interface Session {
  email: string;
  machine: string | null;
  /** ISO 8601. */
  expiresAt: string;
  /** Whether to advise the person to add a spare key. */
  suggestSpare: boolean;
}

/**
 * In sessionStorage, which this tab alone has, for this origin alone: the way back from the terminal is an address, which others
 * could read (docs/security.md, "What the addresses are worth").
 */
const storageKey = 'vouch-outcome';

export function keepOutcome(outcome: Outcome): void {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(outcome));
  } catch {
    // The browser may store nothing: the page then says less.
  }
}

export function forgetOutcome(): void {
  try {
    sessionStorage.removeItem(storageKey);
  } catch {
    // There is nothing to forget.
  }
}

export function lastOutcome(): Outcome | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}
