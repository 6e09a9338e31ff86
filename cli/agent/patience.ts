/** How long who is down is waited for, in milliseconds. */
export interface Patience {
  /** The longest that one request for credentials waits in all. */
  request: number;
  /** The longest that the server, or STS, may take for one answer. */
  call: number;
  /** The ceiling of the pause after the first try that failed; it is doubled after each, up to the next. */
  firstPause: number;
  longestPause: number;
}

/** Git's helper is to have its answer within 20 seconds, of which it may need one for itself. */
export const patience: Patience = { request: 19_000, call: 5_000, firstPause: 250, longestPause: 4_000 };
