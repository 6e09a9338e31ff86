/**
 * FIDO's authenticator certification levels, from the lowest (FIDO Metadata Service v3.1, section 3.1.4.1: `FIDO_CERTIFIED_` and one of
 * these).
 */
export const LEVELS = ['L1', 'L1plus', 'L2', 'L2plus', 'L3', 'L3plus'] as const;

export type Level = (typeof LEVELS)[number];

export function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text);
}

/** This level and all above it. */
export function levelsFrom(least: Level): Level[] {
  return LEVELS.slice(LEVELS.indexOf(least));
}
