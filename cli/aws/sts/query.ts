import type * as http from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { parseXML } from '@aws-sdk/xml-builder';
import { awsHttpAgents } from '../../network/environment.ts';
import { sendRequest } from '../../network/http-request.ts';
import { version } from '../../programs.ts';
import { stsUrl } from './endpoint.ts';

/** More than any answer of STS's, in bytes. The XML parser takes time that grows with the square of what is hostile enough. */
export const longestAnswer = 64 * 1024;

/** What STS said in the place of an answer. Its fields are named as in errors of AWS's SDK, so that both are explained alike. */
export class StsError extends Error {
  readonly $fault: 'client' | 'server';
  readonly $metadata: { httpStatusCode: number };
  readonly $response: { headers: IncomingHttpHeaders };
  readonly Code: string;

  /** @param code AWS's name for what is wrong, such as `AccessDenied`; empty when nothing is said but the status */
  constructor(code: string, message: string, status: number, headers: IncomingHttpHeaders = {}) {
    super(message);
    this.name = this.Code = code;
    this.$response = { headers };
    this.$fault = status < 500 ? 'client' : 'server';
    this.$metadata = { httpStatusCode: status };
  }
}

/** An answer that STS does not give: cut off, or somebody else's. What it was is not told, as it may hold credentials. */
export class NotStsError extends Error {
  override readonly name = 'NotStsError';
  readonly $response: { statusCode: number };

  constructor(statusCode: number) {
    super('The answer is not one of STS.');
    this.$response = { statusCode };
  }
}

/** An element of an answer: the text in it, its elements by name, or several of one name. */
export type Element = string | { [name: string]: Element | undefined } | Element[];

interface Question {
  region: string;
  /** Where AWS_ENDPOINT_URL_STS, proxies and the like are read. */
  env: NodeJS.ProcessEnv;
  /** When to give up. */
  signal: AbortSignal;
  /** What the request goes through, unless that is what the environment says. */
  agent?: http.Agent | undefined;
}

/**
 * Asks STS something that needs no signature, in AWS's query protocol. Through the environment's proxy, and trusting
 * AWS_CA_BUNDLE if it is set.
 *
 * The agent does not use AWS's SDK for it: to load and first use that takes a quarter of a second and 20 MB, of which the
 * first answer after a login, and the agent for as long as it runs, would have nothing.
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
  // Who stands before STS, or STS when it has no strength left to say more.
  if (status >= 500 || status === 429) throw new StsError('', '', status, headers);
  throw new NotStsError(status);
}

/** The text of the element that is found by these names, each within the one before; undefined where there is none. */
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

/** What is no XML, or not to its end, is as good as nothing. The parser's message would quote it. */
function parse(text: string): Element | undefined {
  try {
    return parseXML(text);
  } catch {
    return undefined;
  }
}
