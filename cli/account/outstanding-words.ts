import { clockTime, roundedUp } from '../text/time.ts';

/**
 * What AWS still honours after something was ended. The times round up, so that "at the latest" holds.
 *
 * @param until the server's `awsCredentialsUntil`
 * @returns a sentence; undefined if there is nothing to say
 */
export function sayOutstanding(until: string | null, now: Date): string | undefined {
  if (until === null) return undefined;
  const time = (moment: Date) => clockTime(roundedUp(moment), now);
  return `AWS credentials issued before ${time(now)} last until ${time(new Date(until))} at the latest.`;
}
