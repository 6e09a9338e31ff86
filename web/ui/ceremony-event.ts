import type { Explanation } from './explain/explanation.ts';

/** What can happen to a page that asks for a touch. */
export type CeremonyEvent =
  | { type: 'touching' }
  /** The browser wants the person to press a button first. */
  | { type: 'gesture-wanted' }
  /** The key has answered, the server has not. */
  | { type: 'touched' }
  | { type: 'failed'; explanation: Explanation };
