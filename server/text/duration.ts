import { count } from './count.ts';

/** A number of seconds for people: exact below a minute, otherwise rounded. */
export function durationText(seconds: number): string {
  if (seconds < 60) return count(Math.round(seconds), 'second');
  if (seconds < 2 * 3600) return count(Math.round(seconds / 60), 'minute');
  return seconds < 2 * 86_400 ? count(Math.round(seconds / 3600), 'hour') : count(Math.round(seconds / 86_400), 'day');
}
