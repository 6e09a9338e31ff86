/**
 * The sentence that says what AWS still honours after something was ended.
 *
 * @param until what awsCredentialsUntil found, in milliseconds since the epoch
 * @param now milliseconds since the epoch
 * @returns undefined if there is nothing to say
 */
export function sayOutstanding(until: number | undefined, now: number): string | undefined {
  if (until === undefined) return undefined;
  const [issued, end] = [roundUp(now), roundUp(until)];
  return `AWS credentials issued before ${clock(issued)} last until ${clock(end, issued)} at the latest.`;
}

/** To the full minute: "at the latest" must hold. */
const roundUp = (at: number) => new Date(Math.ceil(at / 60_000) * 60_000);

/** 11:42, with the date unless it is the other time's. */
function clock(time: Date, other = time): string {
  const today = time.toDateString() === other.toDateString();
  return time.toLocaleString('en-GB', { timeStyle: 'short', ...(today ? {} : { dateStyle: 'full' }) });
}
