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
  const clock = time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (time.toDateString() === now.toDateString()) return `at ${clock}`;
  return `${time.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })} at ${clock}`;
}
