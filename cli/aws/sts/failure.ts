import { readRetryAfter } from '../../network/outage.ts';
import { redact } from '../../network/redact.ts';
import type { ProblemData } from '../../problem/details.ts';
import { printable } from '../../text/printable.ts';

/** What AWS says, for a sentence of ours; empty when it says nothing. */
export function quoted(message: string): string {
  return message === '' ? '' : `AWS says: ${message}`;
}

/**
 * Provider, audience and times have words of their own with AWS, and so has each action of a trust policy; its conditions have not.
 */
export function reasonIn(message: string): Pick<ProblemData, 'reason' | 'action'> {
  if (/No OpenIDConnect provider/i.test(message)) return { reason: 'provider-unknown' };
  if (/audience/i.test(message)) return { reason: 'audience' };
  if (/expired|issued in the future|not valid yet|too old/i.test(message)) return { reason: 'token-times' };
  const action = /not authorized to perform:? (sts:\w+)/i.exec(message)?.[1];
  if (action === undefined) return { reason: 'other' };
  return action.startsWith('sts:AssumeRole') ? { reason: 'trust' } : { reason: 'trust-action', action };
}

/** What STS, or the SDK in its place, failed by. */
export interface StsFailure {
  name: string;
  /** What AWS says. */
  message: string;
  /** Of an answer that the SDK could read, and of any that says that something is down. */
  status: number | undefined;
  /** In milliseconds. */
  retryAfter: number;
}

/** @param secrets what STS was shown and could quote */
export function readFailure(error: unknown, secrets: readonly string[] = []): StsFailure {
  if (!(error instanceof Error)) return { name: '', message: '', status: undefined, retryAfter: 0 };
  const { $metadata, $response } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
  };
  // The SDK also fills the status in for an answer that it could not read; such an error has no `$fault`. But who fails in HTML,
  // a proxy for one, is as down as who fails in XML.
  const status = $metadata?.httpStatusCode ?? 0;
  return {
    name: redact(error.name, secrets),
    // An authorization ID stands at the end of what AWS says.
    message: isCoded(error) ? printable(redact(error.message, secrets), 1000) : '',
    status: '$fault' in error || status >= 500 ? status : undefined,
    retryAfter: readRetryAfter($response?.headers?.['retry-after']),
  };
}

/** Whether an answer bears an error code, as all of AWS's do. The SDK names one that does not "Unknown", or after its status. */
export function isCoded(error: unknown): boolean {
  return Boolean((error as { Code?: unknown }).Code);
}
