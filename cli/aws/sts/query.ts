import type * as http from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { parseXML } from '@aws-sdk/xml-builder';
import { sendRequest } from '../../network/http-request.ts';
import { awsHttpAgents } from '../../network/proxies-and-certificates.ts';
import { version } from '../../programs.ts';
import { stsUrl } from './endpoint.ts';

/**
 * More than any of STS's answers, in bytes. Hostile input can take the XML parser time that grows with the square of its length.
 */
export const longestAnswer = 64 * 1024;

/** STS's error. Its fields are named as in errors of AWS's SDK, so that both are explained alike. */
export class StsError extends Error {
  readonly $fault: 'client' | 'server';
  readonly $metadata: { httpStatusCode: number };
  readonly $response: { headers: IncomingHttpHeaders };
  readonly Code: string;

  /** @param code AWS's name of the error, such as `AccessDenied`; empty when there is only a status */
  constructor(code: string, message: string, status: number, headers: IncomingHttpHeaders = {}) {
    super(message);
    this.name = this.Code = code;
    this.$response = { headers };
    this.$fault = status < 500 ? 'client' : 'server';
    this.$metadata = { httpStatusCode: status };
  }
}

/** An answer that was cut off, or is not STS's. It is not quoted, because it may hold credentials. */
export class NotStsError extends Error {
  override readonly name = 'NotStsError';
  readonly $response: { statusCode: number };

  constructor(statusCode: number) {
    super('The answer is not from STS.');
    this.$response = { statusCode };
  }
}

/** An element of an answer: its text, its elements by name, or several elements of one name. */
export type Element = string | { [name: string]: Element | undefined } | Element[];

interface Question {
  region: string;
  /** The environment: AWS_ENDPOINT_URL_STS, proxies and the like. */
  env: NodeJS.ProcessEnv;
  /** When to give up. */
  signal: AbortSignal;
  /** Carries the request; by default one for the environment's proxy and certificates. */
  agent?: http.Agent | undefined;
}

/**
 * Sends STS a request that needs no signature, in AWS's query protocol. Uses the environment's proxy, and trusts AWS_CA_BUNDLE if
 * that is set.
 *
 * The agent does without AWS's SDK here: loading it and its first use would take a quarter of a second of the first answer after a
 * login, and 20 MB for as long as the agent runs.
 *
 * @param action as in https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
 * @throws StsError, NotStsError; Error of `node:http`; Problem as stsUrl and awsHttpAgents
 */
export async function askSts(
  action: string,
  parameters: Record<string, string>,
  { region, env, signal, agent }: Question,
): Promise<Element> {
  const url = stsUrl(region, env);
  const { httpAgent, httpsAgent } = awsHttpAgents(env);
  const body = new URLSearchParams({ Action: action, Version: '2011-06-15', ...parameters }).toString();
  try {
    const answer = await sendRequest(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'user-agent': `vouch/${version}`,
      },
      body,
      agent: agent ?? (url.protocol === 'http:' ? httpAgent : httpsAgent),
      signal,
      longest: longestAnswer,
    });
    return readAnswer(action, answer.status, answer.body?.toString('utf8') ?? '', answer.headers);
  } finally {
    httpAgent.destroy();
    httpsAgent.destroy();
  }
}

/**
 * Reads an answer of the query protocol, which is XML.
 *
 * @returns the element with the action's result
 * @throws StsError, NotStsError
 */
export function readAnswer(action: string, status: number, text: string, headers: IncomingHttpHeaders = {}): Element {
  const answer = parse(text);
  const result = at(answer, `${action}Response`, `${action}Result`);
  if (status === 200 && result !== undefined) return result;
  const code = textAt(answer, 'ErrorResponse', 'Error', 'Code');
  if (status >= 400 && code) {
    throw new StsError(code, textAt(answer, 'ErrorResponse', 'Error', 'Message') ?? '', status, headers);
  }
  // From a proxy in front of STS, or from an STS that is too busy for more.
  if (status >= 500 || status === 429) throw new StsError('', '', status, headers);
  throw new NotStsError(status);
}

/** The text of an element, which is found by a path of names; undefined if there is none. */
export function textAt(element: Element | undefined, ...names: string[]): string | undefined {
  const found = at(element, ...names);
  return typeof found === 'string' ? found : undefined;
}

function at(element: Element | undefined, ...names: string[]): Element | undefined {
  let found = element;
  for (const name of names) {
    if (typeof found !== 'object' || Array.isArray(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** The answer's elements; undefined when the answer is not XML, or cut off. The parser's own message would quote the answer. */
function parse(text: string): Element | undefined {
  try {
    return parseXML(text);
  } catch {
    return undefined;
  }
}
