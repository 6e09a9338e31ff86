import * as http from 'node:http';
import * as https from 'node:https';
import { readAtMost } from './read-at-most.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * A request to the server or to AWS. It does not use `fetch`: the agent would need 13 MB more all day, and loading it would take
 * much of the time of the first answer after a login.
 */
export interface HttpRequest {
  method: string;
  headers: http.OutgoingHttpHeaders;
  body?: string | undefined;
  /** Has the proxy and the trusted authorities. By default Node's global agent, which prepareNetwork sets up. */
  agent?: http.Agent | undefined;
  /** Aborts the request. */
  signal: AbortSignal;
  /** The most that is read of the answer's body, in bytes. With 0 the connection ends after the answer's head. */
  longest: number;
}

export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Undefined when the body is longer than `longest`, or `longest` is 0. */
  body: Buffer | undefined;
}

/** An answer whose body is still to come. */
export interface BegunAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** The caller reads it to its end, or destroys it. It ends with an error when it is cut off, or at the request's signal. */
  body: http.IncomingMessage;
}

/**
 * Sends a request and reads its answer. A redirection is not followed: what we send is for one host only. We ask for an uncompressed
 * answer and never decompress one: it could become a thousand times as long.
 *
 * @param url of http or https
 * @throws the signal's reason; Error of `node:http`, also when the answer is cut off
 */
export async function sendRequest(url: URL, { longest, ...request }: HttpRequest): Promise<HttpAnswer> {
  return readAnswer(await beginRequest(url, request), { longest, signal: request.signal });
}

/**
 * Sends a request, and reads only the head of its answer; otherwise as `sendRequest`.
 *
 * @param request with `background`, it does not keep the process alive
 */
export function beginRequest(
  url: URL,
  { body, background = false, ...rest }: Omit<HttpRequest, 'longest'> & { background?: boolean },
): Promise<BegunAnswer> {
  const options = { ...rest, headers: { ...rest.headers, 'accept-encoding': 'identity' } };
  const answer = new Promise<BegunAnswer>((resolve, reject) => {
    const { request } = url.protocol === 'http:' ? http : https;
    request(url, options)
      .on('error', reject)
      .once('socket', (socket) => background && socket.unref())
      .once('response', (response) =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }),
      )
      .end(body);
  });
  return untilAborted(answer, options.signal);
}

/**
 * Reads an answer to its end.
 *
 * @throws as sendRequest
 */
export function readAnswer(
  { status, headers, body }: BegunAnswer,
  { longest, signal }: Pick<HttpRequest, 'longest' | 'signal'>,
): Promise<HttpAnswer> {
  const answer = async () => {
    if (longest === 0) body.destroy();
    return { status, headers, body: longest === 0 ? undefined : await readAtMost(longest, body) };
  };
  // Otherwise an abort during the answer would look like a cut connection, or like the answer's end.
  return untilAborted(answer(), signal);
}
