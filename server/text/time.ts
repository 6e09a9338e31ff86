/** A moment for people, in the time zone of this process: Thursday, 26 November 2026 at 02:17. @param at milliseconds since the epoch */
export function inFull(at: number): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' });
}
