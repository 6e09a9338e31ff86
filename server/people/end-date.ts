import { Problem } from '../problem/problem.ts';
import { shown } from '../text/shown.ts';
import { inFull } from '../text/time.ts';

/**
 * Reads an end date, somebody's last day here.
 *
 * @param text such as 2026-12-31
 * @returns when that day is over, in milliseconds since the epoch, by the time zone of this process
 * @throws Problem `option-refused`
 */
export function readEndDate(text: string): number {
  const [, year, month, day] = (/^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim()) ?? []).map(Number);
  if (year !== undefined && month !== undefined && day !== undefined) {
    const begins = new Date(year, month - 1, day);
    // JavaScript makes 2 March of 30 February.
    if (begins.getFullYear() === year && begins.getMonth() === month - 1 && begins.getDate() === day) {
      return new Date(year, month - 1, day + 1).getTime();
    }
  }
  throw new Problem({
    kind: 'option-refused',
    what: `The end date ${shown(text)} is not a day such as 2026-12-31.`,
    fix: 'Give the last day on which the person may sign in.',
  });
}

/** Until when somebody may sign in, for people: "until the end of Thursday, 31 December 2026". @param endsAt milliseconds since the epoch */
export function endInWords(endsAt: number): string {
  const end = new Date(endsAt);
  if (end.getHours() + end.getMinutes() + end.getSeconds() + end.getMilliseconds() > 0)
    return `until ${inFull(endsAt)}`;
  return `until the end of ${new Date(endsAt - 1).toLocaleDateString('en-GB', { dateStyle: 'full' })}`;
}
