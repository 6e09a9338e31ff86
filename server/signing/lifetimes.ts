/** For how long a verifier may keep what `/jwks` and discovery answered, in seconds: their `max-age` (RFC 9111, section 5.2.2.1). */
export const JWKS_MAX_AGE_S = 300;

/** The pause between two looks at the keys in the database, in milliseconds. */
export const REFRESH_MS = 5_000;

/**
 * How old an instance's view of the keys may be, in milliseconds. An older one neither signs nor publishes: others may have moved on.
 */
export const FRESH_MS = 30_000;

/**
 * For how long a key is published before it signs, at the least, in milliseconds. FRESH_MS after its birth each instance publishes it or
 * nothing, and a max-age later no cache is left without it; half a minute is for answers that are on their way.
 */
export const PUBLISH_MS = JWKS_MAX_AGE_S * 1000 + FRESH_MS + 30_000;

/** For how long a scheduled key is published before it signs, in milliseconds: for caches that keep documents longer than they may. */
export const AHEAD_MS = 24 * 3600_000;

/** The longest session that the settings allow, in milliseconds: access tokens live the longest of all that a key signs. */
const LONGEST_SESSION_MS = 24 * 3600_000;

/**
 * For how long a key stays published after it signed last, in milliseconds: until all that it signed is over, and a little longer. AWS
 * takes its tokens for 6 minutes.
 */
export const PREVIOUS_MS = LONGEST_SESSION_MS + PUBLISH_MS;
