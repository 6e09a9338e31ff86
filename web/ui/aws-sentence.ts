import { timeOfDay } from './time.ts';

/**
 * What outlasts ended sessions: only AWS can end what AWS has given. The time rounds up.
 *
 * @param awsCredentialsUntil ISO 8601; null when there is nothing
 */
export function awsSentence(awsCredentialsUntil: string | null, now: Date): string | undefined {
  if (awsCredentialsUntil === null) return undefined;
  const end = new Date(Math.ceil(Date.parse(awsCredentialsUntil) / 60_000) * 60_000);
  return `AWS credentials that were issued before may work until ${timeOfDay(end, now).replace(/^at /, '')}.`;
}
