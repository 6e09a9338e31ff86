import type { OutgoingHttpHeaders } from 'node:http';
import { type HttpAnswer, sendRequest } from '../network/http-request.ts';

/** More than any of a Vouch server's answers, in bytes. */
export const longestAnswer = 64 * 1024;

/** How long the server may take for one answer, in milliseconds. */
const usualTimeout = 10_000;

export interface ServerRequest {
  method: string;
  headers: OutgoingHttpHeaders;
  body?: string | undefined;
  /** Gives the request up before its time is over. */
  signal: AbortSignal;
  /** How long the whole answer may take, in milliseconds; by default 10 seconds. */
  timeout?: number;
}

/** An answer that no Vouch server gives. The message is a sentence on what is wrong. */
export class UnfitAnswer extends Error {
  override readonly name = 'UnfitAnswer';
  /** The HTTP status, if the status is what is wrong. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Asks a Vouch server, or whatever answers at its address. The answer is limited in size and time, and comes only from this host:
 * no redirection is followed. Nothing is decompressed, so that the bytes counted are the bytes in memory.
 *
 * @throws UnfitAnswer; the signal's reason; TimeoutError; Error of `node:http`
 */
export async function askServer(url: URL, request: ServerRequest): Promise<HttpAnswer & { body: Buffer }> {
  const { signal, timeout = usualTimeout, ...rest } = request;
  const answer = await sendRequest(url, {
    ...rest,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    longest: longestAnswer,
  });
  const { body, headers } = answer;
  if (body === undefined) throw new UnfitAnswer(`Its answer is longer than ${longestAnswer} bytes.`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new UnfitAnswer('Its answer is compressed, and we did not ask for that.');
  return { ...answer, body };
}
