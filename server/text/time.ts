/** A moment for people, in the time zone of this process: Thursday, 26 November 2026 at 02:17. @param at milliseconds since the epoch */
export function inFull(at: number): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' });
}

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

/**
 * A moment as it stands in a table, in the time zone of this process: 17:42 today, 3 Nov 17:42, or 3 Nov 2025 17:42 in another year.
 *
 * @param at milliseconds since the epoch
 * @param now milliseconds since the epoch
 */
export function shortTime(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)];
  const time = `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
  return date.toDateString() === today.toDateString() ? time : `${dayAndMonth(date, today)} ${time}`;
}

/** A day as it stands in a table: today, 3 Nov, or 3 Nov 2025 in another year. */
export function shortDay(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)];
  return date.toDateString() === today.toDateString() ? 'today' : dayAndMonth(date, today);
}

/** The last day before an end date, with its year; the moment itself if the day is not over then. */
export function lastDay(endsAt: number): string {
  const end = new Date(endsAt);
  const midnight = new Date(end.getFullYear(), end.getMonth(), end.getDate()).getTime() === endsAt;
  const { day, month, year } = parts(midnight ? new Date(endsAt - 1) : end);
  return midnight ? `${day} ${month} ${year}` : `${day} ${month} ${year} ${shortTime(endsAt, endsAt)}`;
}

function dayAndMonth(date: Date, today: Date): string {
  const { day, month, year } = parts(date);
  return date.getFullYear() === today.getFullYear() ? `${day} ${month}` : `${day} ${month} ${year}`;
}

function parts(date: Date): { day: number; month: string; year: number } {
  const [, month = ''] = date.toDateString().split(' ');
  return { day: date.getDate(), month, year: date.getFullYear() };
}
