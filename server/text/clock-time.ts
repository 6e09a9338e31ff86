/**
 * A moment for people, rounded up to the minute: 11:42, or with the date if it is not today.
 *
 * @param at milliseconds since the epoch
 * @param now milliseconds since the epoch
 */
export function clockTime(at: number, now: number): string {
  const time = new Date(Math.ceil(at / 60_000) * 60_000);
  const today = time.toDateString() === new Date(now).toDateString();
  return time.toLocaleString('en-GB', { timeStyle: 'short', ...(today ? {} : { dateStyle: 'full' }) });
}
