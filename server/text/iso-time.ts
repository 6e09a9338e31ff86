/** A moment as programs read it, in ISO 8601 and UTC; null for none. @param at milliseconds since the epoch */
export function isoTime(at: number): string;
export function isoTime(at: number | null | undefined): string | null;
export function isoTime(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : new Date(at).toISOString();
}
