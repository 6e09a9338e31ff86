import { clockTime } from '../text/time.ts';

/**
 * The sentence that says what AWS still honours after something was ended. Its times round up, so that "at the latest" holds.
 *
 * @param until what awsCredentialsUntil found, in milliseconds since the epoch
 * @param now milliseconds since the epoch
 * @returns undefined if there is nothing to say
 */
export function sayOutstanding(until: number | undefined, now: number): string | undefined {
  if (until === undefined) return undefined;
  return `AWS credentials issued before ${clockTime(now, now)} last until ${clockTime(until, now)} at the latest.`;
}
