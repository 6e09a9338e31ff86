import * as http from 'node:http';
import * as https from 'node:https';
import { readAtMost } from './read-at-most.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * A request of the agent's to the server or to AWS. Not by `fetch`: to load that takes 13 MB, which the agent would hold all day,
 * and much of the time of the first answer after a login.
 */
export interface HttpRequest {
  method: string;
  headers: http.OutgoingHttpHeaders;
  body?: string | undefined;
  /** Through which proxy, and trusting whom; Node's global one unless given, which prepareNetwork sets up. */
  agent?: http.Agent | undefined;
  /** When to give up. */
  signal: AbortSignal;
  /** The most that is read of the answer's body, in bytes. With 0 nobody waits for it: the connection ends after the head. */
  longest: number;
}

export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Missing when it is longer than what was to be read, or nothing was. */
  body: Buffer | undefined;
}

/**
 * Sends a request and reads its answer. A redirection is an answer as any other: what is sent here is for one host alone. It is
 * asked for as it is, and never decoded: what was compressed could be a thousand times as long.
 *
 * @param url of http or https
 * @throws the signal's reason; Error of `node:http`, also when the answer is cut off
 */
export function sendRequest(url: URL, { body, longest, ...rest }: HttpRequest): Promise<HttpAnswer> {
  const options = { ...rest, headers: { ...rest.headers, 'accept-encoding': 'identity' } };
  const answer = async () => {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const { request } = url.protocol === 'http:' ? http : https;
      request(url, options).on('error', reject).once('response', resolve).end(body);
    });
    const { statusCode = 0, headers } = response;
    if (longest === 0) response.destroy();
    return { status: statusCode, headers, body: longest === 0 ? undefined : await readAtMost(longest, response) };
  };
  // Once the answer has begun, Node tells it as a connection that was cut, or as the answer's end.
  return untilAborted(answer(), options.signal);
}
