/** How long to wait while the server or STS is down, in milliseconds. */
export interface Timeouts {
  /** For one request for credentials, in all. */
  request: number;
  /** For new credentials while old ones still work. */
  replacement: number;
  /** For one answer of the server or of STS. */
  call: number;
  /** The ceiling of the pause after the first failed try. The ceiling doubles after each, up to `longestPause`. */
  firstPause: number;
  longestPause: number;
  /** The ceilings of the pauses before the stream of the session's events is opened again: the first, and the longest. */
  firstReopening: number;
  longestReopening: number;
  /** How long that stream may be silent: three times the pause between two of the server's signs of life. */
  silence: number;
}

/** Git gets its answer within 20 seconds, of which the helper may need two for itself on a busy machine. */
export const usualTimeouts: Timeouts = {
  request: 18_000,
  replacement: 2_000,
  call: 5_000,
  firstPause: 250,
  longestPause: 4_000,
  firstReopening: 5_000,
  longestReopening: 60_000,
  silence: 60_000,
};
