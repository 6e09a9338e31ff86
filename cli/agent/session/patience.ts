/** How long who is down is waited for, in milliseconds. */
export interface Patience {
  /** The longest that one request for credentials waits in all. */
  request: number;
  /** The longest that one waits for better ones who can be given some that are about to end. */
  better: number;
  /** The longest that the server, or STS, may take for one answer. */
  call: number;
  /** The ceiling of the pause after the first try that failed; it is doubled after each, up to the next. */
  firstPause: number;
  longestPause: number;
}

/** Git is to have its answer within 20 seconds, of which the helper may need two for itself on a busy machine. */
export const patience: Patience = {
  request: 18_000,
  better: 2_000,
  call: 5_000,
  firstPause: 250,
  longestPause: 4_000,
};
