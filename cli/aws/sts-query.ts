import * as http from 'node:http';
import * as https from 'node:https';
import { awsHttpAgents } from '../network-environment.ts';
import { version } from '../programs.ts';
import { partitionOf } from './partitions.ts';

/** More than any answer of STS's, in bytes. */
export const longestAnswer = 256 * 1024;

/** What STS said in the place of an answer. Its fields are named as in errors of AWS's SDK, so that both are explained alike. */
export class StsError extends Error {
  readonly $fault: 'client' | 'server';
  readonly $metadata: { httpStatusCode: number };
  readonly $response: { headers: http.IncomingHttpHeaders };
  readonly Code: string;

  /** @param code AWS's name for what is wrong, such as `AccessDenied`; empty when nothing is said but the status */
  constructor(code: string, message: string, status: number, headers: http.IncomingHttpHeaders = {}) {
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

/** The elements of an answer that hold text and no elements. The first of a name counts. */
export type StsAnswer = ReadonlyMap<string, string>;

/**
 * Asks STS something that needs no signature, in AWS's query protocol. Through the environment's proxy, and trusting
 * AWS_CA_BUNDLE if it is set.
 *
 * The agent does not use AWS's SDK for it: to load and first use that takes a quarter of a second and 20 MB, of which the
 * first answer after a login, and the agent for as long as it runs, would have nothing.
 *
 * @param action as in https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
 * @throws StsError, NotStsError; Error of `node:http`; Problem as awsHttpAgents
 */
export async function askSts(
  action: string,
  parameters: Record<string, string>,
  { region, signal }: { region: string; signal: AbortSignal },
): Promise<StsAnswer> {
  const url = stsUrl(region, process.env);
  const { httpAgent, httpsAgent } = awsHttpAgents(process.env);
  const body = new URLSearchParams({ Action: action, Version: '2011-06-15', ...parameters }).toString();
  const options = {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'user-agent': `vouch/${version}`,
    },
    signal,
  };
  try {
    const request =
      url.protocol === 'http:'
        ? http.request(url, { ...options, agent: httpAgent })
        : https.request(url, { ...options, agent: httpsAgent });
    const { status, headers, text } = await answerTo(request, body);
    return readAnswer(action, status, text, headers);
  } finally {
    httpAgent.destroy();
    httpsAgent.destroy();
  }
}

/**
 * Where STS is: AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL, else the region's own endpoint, with AWS_USE_FIPS_ENDPOINT=true the
 * one with FIPS 140 (GovCloud's always are).
 */
export function stsUrl(region: string, env: NodeJS.ProcessEnv): URL {
  const set = env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL;
  if (set) return new URL(set);
  const partition = partitionOf(region);
  if (partition === undefined) throw new RangeError(`${region} is no region of a partition that is known`);
  const fips = env.AWS_USE_FIPS_ENDPOINT?.toLowerCase() === 'true' && partition.id !== 'aws-us-gov';
  return new URL(`https://sts${fips ? '-fips' : ''}.${region}.${partition.suffix}/`);
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

function answerTo(request: http.ClientRequest, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      const status = response.statusCode ?? 0;
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > longestAnswer) request.destroy(new NotStsError(status));
      });
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    request.end(body);
  });
}

/**
 * Reads an answer. It is XML, of which STS uses little: elements and text, in which five characters and none else are
 * escaped.
 *
 * @throws StsError, NotStsError
 */
export function readAnswer(
  action: string,
  status: number,
  text: string,
  headers: http.IncomingHttpHeaders = {},
): StsAnswer {
  const elements = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(/<(\w+)>([^<>]*)<\/\1>/g)) {
    if (!elements.has(name)) elements.set(name, unescapeXml(value));
  }
  const whole = text.trimEnd();
  if (status === 200 && whole.endsWith(`</${action}Response>`)) return elements;
  const code = elements.get('Code');
  if (status >= 400 && code !== undefined && whole.endsWith('</ErrorResponse>')) {
    throw new StsError(code, elements.get('Message') ?? '', status, headers);
  }
  // Who stands before STS, or STS when it has no strength left to say more.
  if (status >= 500 || status === 429) throw new StsError('', '', status, headers);
  throw new NotStsError(status);
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
