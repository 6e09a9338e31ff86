import { timeOfDay } from './time.ts';

/**
 * What outlasts ended sessions: nobody but AWS can end what AWS has given.
 *
 * @param awsCredentialsUntil ISO 8601; null when there is nothing
 */
export function awsSentence(awsCredentialsUntil: string | null, now: Date): string | undefined {
  if (awsCredentialsUntil === null) return undefined;
  return `AWS credentials that were issued before may work until ${timeOfDay(new Date(awsCredentialsUntil), now).replace(/^at /, '')}.`;
}
