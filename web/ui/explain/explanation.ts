/** What the person is doing: signing in, confirming with a key they already have, or enrolling a new one. */
export type Purpose = 'sign-in' | 'confirm' | 'enrol';

/** An error in words: what happened, what to do next, and whether trying again on this page can help. */
export interface Explanation {
  /** A stable name for tests and support; never shown. */
  kind: string;
  /** How bad it is: a refusal stops the person, after a warning they can try again, and what is done or off is no trouble. */
  mood: 'warning' | 'refused' | 'done' | 'off';
  title: string;
  /** Text between backticks is a command. */
  advice: string;
  canRetry: boolean;
  /** A PIN may be the cause, which browsers do not tell us: offer help with one. */
  mayBePin?: boolean;
  /** The same for a key with no room left. */
  mayBeFull?: boolean;
}

/** The command that opens the page for this. */
export function commandFor(purpose: Purpose): string {
  return purpose === 'sign-in' ? 'vouch login' : 'vouch enroll';
}

/** The key could not verify its holder. */
export const pinTrouble: Explanation = {
  kind: 'pin',
  mood: 'warning',
  title: 'The key could not check that it’s you.',
  advice: 'Its PIN may be missing or blocked. Set a PIN, or unplug the key and plug it in again. Then try again.',
  canRetry: true,
  mayBePin: true,
};

/** Nothing is wrong: the key works already. */
export const alreadyEnrolled: Explanation = {
  kind: 'already-enrolled',
  mood: 'done',
  title: 'This key is enrolled already.',
  advice: 'You can sign in with it: run `vouch login`. To enrol another key, plug that one in.',
  canRetry: true,
};
