import { readRetryAfter } from '../../network/outage.ts';
import { redact } from '../../network/redact.ts';
import { printable } from '../../text/printable.ts';

/** AWS's message, after "AWS says:"; empty when there is none. */
export function quoted(message: string): string {
  return message === '' ? '' : `AWS says: ${message}`;
}

/** A failure of STS, or of the SDK. */
export interface StsFailure {
  name: string;
  /** AWS's message. */
  message: string;
  /** The HTTP status, if the answer could be read, or if the status means that something is down. */
  status: number | undefined;
  /** In milliseconds. */
  retryAfter: number;
}

/** @param secrets secrets that were sent, which an answer could quote */
export function readFailure(error: unknown, secrets: readonly string[] = []): StsFailure {
  if (!(error instanceof Error)) return { name: '', message: '', status: undefined, retryAfter: 0 };
  const { $metadata, $response } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
  };
  // The SDK also gives a status for an answer that it could not read, but then there is no `$fault`. From 500 up the status counts
  // in any case: a proxy that fails in HTML is as down as STS that fails in XML.
  const status = $metadata?.httpStatusCode ?? 0;
  return {
    name: redact(error.name, secrets),
    // An authorization ID is at the end of the message.
    message: isCoded(error) ? printable(redact(error.message, secrets), 1000) : '',
    status: '$fault' in error || status >= 500 ? status : undefined,
    retryAfter: readRetryAfter($response?.headers?.['retry-after']),
  };
}

/**
 * Whether an answer has an error code. All of AWS's have one. The SDK calls an error without a code "Unknown", or names it after
 * the status.
 */
export function isCoded(error: unknown): boolean {
  return Boolean((error as { Code?: unknown }).Code);
}
