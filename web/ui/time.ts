const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "just now", "2 minutes ago", "3 hours ago". A time in the future is "just now": the clocks differ. */
export function ago(time: Date, now: Date): string {
  const minutes = Math.floor((now.getTime() - time.getTime()) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return relative.format(-minutes, 'minute');
  if (minutes < 24 * 60) return relative.format(-Math.floor(minutes / 60), 'hour');
  return relative.format(-Math.floor(minutes / (24 * 60)), 'day');
}

/** "at 17:42", or "3 March at 17:42" if that is not today. */
export function timeOfDay(time: Date, now: Date): string {
  if (time.toDateString() === now.toDateString()) return `at ${clock(time)}`;
  return `${date(time)} at ${clock(time)}`;
}

/** "17:42, in 8 hours", or "4 March, 01:42, in 8 hours" if that is not today. */
export function until(time: Date, now: Date): string {
  const minutes = Math.round((time.getTime() - now.getTime()) / 60_000);
  const left = minutes < 60 ? relative.format(minutes, 'minute') : relative.format(Math.round(minutes / 60), 'hour');
  const day = time.toDateString() === now.toDateString() ? '' : `${date(time)}, `;
  return `${day}${clock(time)}, ${left}`;
}

/** "today", "yesterday", "on 3 March", or "on 3 March 2024" if that is not this year. */
export function dayOf(time: Date, now: Date): string {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (time >= midnight) return 'today';
  if (time >= yesterday) return 'yesterday';
  return time.getFullYear() === now.getFullYear() ? `on ${date(time)}` : `on ${date(time)} ${time.getFullYear()}`;
}

function clock(time: Date): string {
  return time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

function date(time: Date): string {
  return time.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' });
}
