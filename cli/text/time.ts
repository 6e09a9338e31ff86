/**
 * A moment as a person reads it: 17:42 today, Tue 3 Nov 17:42 on another day. Does not use `Intl`, whose data would take 8 MB
 * of the agent's memory.
 */
export function clockTime(moment: Date, now: Date): string {
  const time = `${String(moment.getHours()).padStart(2, '0')}:${String(moment.getMinutes()).padStart(2, '0')}`;
  if (moment.toDateString() === now.toDateString()) return time;
  const [weekday, month, day] = moment.toDateString().split(' ');
  return `${weekday} ${Number(day)} ${month} ${time}`;
}

/** A day as a person reads it: 3 Nov 2026. */
export function day(moment: Date): string {
  const [, month, dayOfMonth, year] = moment.toDateString().split(' ');
  return `${Number(dayOfMonth)} ${month} ${year}`;
}

/** The moment, or the next full minute: for an end that is said to be the latest. */
export function roundedUp(moment: Date): Date {
  return new Date(Math.ceil(moment.getTime() / 60_000) * 60_000);
}

/** A length of time for a person: 7 h 12 min, 41 min, 8 h. Rounded to the minute. */
export function duration(milliseconds: number): string {
  const minutes = Math.max(0, Math.round(milliseconds / 60_000));
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}
