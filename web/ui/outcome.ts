import { forgetInTab, keepInTab, keptInTab } from './tab-storage.ts';

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
 * Kept in the tab: the way back from the terminal is an address, which others could read (docs/security.md, "What the addresses are
 * worth").
 */
const storageKey = 'vouch-outcome';

export function keepOutcome(outcome: Outcome): void {
  keepInTab(storageKey, JSON.stringify(outcome));
}

export function forgetOutcome(): void {
  forgetInTab(storageKey);
}

/** Undefined when the browser stores nothing: the page then says less. */
export function lastOutcome(): Outcome | undefined {
  try {
    return JSON.parse(keptInTab(storageKey) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}
