import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { Account } from '../accounts.ts';
import { AwsError } from '../aws-error.ts';
import { Door } from '../door.ts';
import type { PolicyDocument } from '../policy.ts';
import { evaluateSession } from '../session-policy.ts';
import { Sessions, sessionArn, sessionContext } from '../sessions.ts';
import { verifySignature } from '../sigv4.ts';
import { type KeySpec, KmsKey } from './key.ts';
import { type Keys, operations, type Parameters } from './operations.ts';

/** What is wrong with the service, from the moment a test sets it until the test clears it. */
export type KmsFault =
  /** The port is closed, and open connections are cut. */
  | { kind: 'refuse' }
  /** Every request is served this much later. */
  | { kind: 'delay'; milliseconds: number }
  /** Too many requests; with `times`, only the next ones. */
  | { kind: 'throttle'; times?: number }
  /** The service itself is broken. */
  | { kind: 'fail'; times?: number }
  /** The request is accepted, and never answered. */
  | { kind: 'hang' }
  /** Something else answers. */
  | { kind: 'garbage'; body: string }
  /** Answers with the signature of this key, whichever was asked for. */
  | { kind: 'other-key'; key: KmsKey };

/** One request, and its outcome. */
export interface KmsRequest {
  operation: string;
  region: string;
  /** As the request named it. */
  key: string;
  /** `OK`, or the code of the refusal. */
  outcome: string;
}

/** A running local KMS. Keys, policy and fault may change while it runs. */
export interface LocalKms {
  readonly url: string;
  /** The variables with which the SDK finds it, and credentials of the role VouchServer. */
  readonly env: Readonly<Record<string, string>>;
  /** All requests in order, except those that a fault has swallowed. */
  readonly log: readonly KmsRequest[];
  /** How many requests were served at the same time, at most. */
  mostAtOnce: number;
  fault: KmsFault | undefined;
  now: () => Date;
  createKey(options?: { spec?: KeySpec; region?: string; multiRegion?: boolean }): KmsKey;
  /** A replica of a multi-Region key in another region: the same ID and the same key. */
  replicate(key: KmsKey, region: string): KmsKey;
  /** Creates or moves an alias. @returns its ARN */
  alias(name: string, key: KmsKey): string;
  /** What the role VouchServer may do. At first everything. */
  allow(...policy: PolicyDocument[]): void;
  close(): Promise<void>;
}

const ACCOUNT = '123456789012';
const ROLE = 'VouchServer';
const everything: PolicyDocument = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' },
};

/**
 * Starts a KMS that refuses what AWS's refuses, on a free port of 127.0.0.1. It speaks AWS JSON 1.1
 * (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).
 */
export async function startLocalKms(): Promise<LocalKms> {
  const account = new Account(ACCOUNT);
  const trustPolicy: PolicyDocument = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
  };
  const role = account.addRole({ name: ROLE, trustPolicy, permissionPolicies: [everything] });
  const sessions = new Sessions();
  const { accessKeyId, secretAccessKey, sessionToken } = sessions.issue({
    account,
    role,
    name: 'i-0123456789abcdef0',
    issuedAt: new Date(),
    expiration: new Date('2100-01-01'),
    provider: undefined,
    providerKeys: {},
    tags: {},
    transitiveTags: {},
    sourceIdentity: undefined,
  });
  const keys: KmsKey[] = [];
  const aliases = new Map<string, KmsKey>();
  const log: KmsRequest[] = [];
  let running = 0;

  const keysOf = (region: string): Keys => ({
    find(name) {
      const [, arnRegion, arnAccount, rest = name] = /^arn:[a-z-]+:kms:([a-z0-9-]+):(\d{12}):(.*)$/.exec(name) ?? [];
      if (arnRegion !== undefined && arnRegion !== region) throw notFound(`Invalid arn ${arnRegion}`);
      if (rest.startsWith('alias/')) {
        const arn = `arn:aws:kms:${region}:${arnAccount ?? ACCOUNT}:${rest}`;
        const key = aliases.get(arn);
        if (key === undefined) throw notFound(`Alias ${arn} is not found.`);
        return key;
      }
      const id = rest.replace(/^key\//, '');
      const key = keys.find((one) => one.region === region && one.id === id);
      if (key === undefined || (arnAccount ?? ACCOUNT) !== ACCOUNT) throw notFound(`Key '${name}' does not exist`);
      return key;
    },
    byId: (id) => keys.find((key) => key.region === region && key.id === id),
  });

  const answer = async (request: IncomingMessage, response: ServerResponse, entry: KmsRequest) => {
    const body = await readBody(request);
    entry.operation = /^TrentService\.(\w+)$/.exec(String(request.headers['x-amz-target']))?.[1] ?? '-';
    const { fault } = kms;
    if (fault?.kind === 'hang') return undefined;
    if (fault?.kind === 'garbage') return void response.writeHead(200).end(fault.body);
    if (fault?.kind === 'delay') await wait(fault.milliseconds);
    if (fault?.kind === 'throttle' || fault?.kind === 'fail') {
      if (fault.times !== undefined) {
        fault.times -= 1;
        if (fault.times <= 0) kms.fault = undefined;
      }
      if (fault.kind === 'fail') throw new AwsError('KMSInternalException', 'An internal error has occurred.', 500);
      throw new AwsError(
        'ThrottlingException',
        'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
      );
    }
    const { method = '', url = '', headers } = request;
    const { session, region } = verifySignature({ method, url, headers, body }, 'kms', sessions, kms.now());
    entry.region = region;
    const operation = operations[entry.operation];
    if (method !== 'POST' || url !== '/' || operation === undefined)
      throw new AwsError('UnknownOperationException', '');
    if (headers['content-type'] !== 'application/x-amz-json-1.1') throw new AwsError('UnknownOperationException', '');
    const parameters = parse(body);
    entry.key = String(parameters.KeyId ?? '');
    const { key, run } = operation(parameters, keysOf(region));
    const asked = { action: `kms:${entry.operation}`, resource: key.arn, context: sessionContext(session, region) };
    if (evaluateSession(session, asked).decision !== 'Allow') {
      throw new AwsError(
        'AccessDeniedException',
        `User: ${sessionArn(session)} is not authorized to perform: kms:${entry.operation} on resource: ${key.arn} because no identity-based policy allows the kms:${entry.operation} action`,
      );
    }
    const result = run();
    if (fault?.kind === 'other-key' && entry.operation === 'Sign') {
      return {
        ...result,
        Signature: fault.key.signDigest(Buffer.from(String(parameters.Message), 'base64')).toString('base64'),
      };
    }
    return result;
  };

  const server = createServer((request, response) => {
    const entry: KmsRequest = { operation: '-', region: '-', key: '', outcome: 'OK' };
    running += 1;
    kms.mostAtOnce = Math.max(kms.mostAtOnce, running);
    response.once('close', () => {
      running -= 1;
    });
    answer(request, response, entry)
      .catch((error: unknown) => {
        if (!(error instanceof AwsError)) throw error;
        entry.outcome = codes[error.code] ?? error.code;
        response.statusCode = error.status >= 500 ? error.status : 400;
        return { __type: entry.outcome, message: error.message };
      })
      .then((json) => {
        if (json === undefined || response.writableEnded) return;
        log.push(entry);
        response.setHeader('content-type', 'application/x-amz-json-1.1');
        response.setHeader('x-amzn-requestid', randomUUID());
        response.end(JSON.stringify(json));
      })
      .catch((error: unknown) => response.destroy(error as Error));
  });
  const door = await Door.open(server);
  const url = `http://127.0.0.1:${door.port}`;

  const create = (place: { region: string; id: string; spec: KeySpec }, replicaOf?: KmsKey) => {
    const key = new KmsKey({ partition: 'aws', account: ACCOUNT, ...place }, replicaOf);
    keys.push(key);
    return key;
  };
  let fault: KmsFault | undefined;
  const kms: LocalKms = {
    url,
    env: {
      AWS_ENDPOINT_URL_KMS: url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    },
    log,
    mostAtOnce: 0,
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
      if (next?.kind === 'refuse') door.shut();
      else door.reopen();
    },
    now: () => new Date(),
    createKey({ spec = 'ECC_NIST_P256', region = 'eu-central-1', multiRegion = false } = {}) {
      const id = multiRegion ? `mrk-${randomUUID().replaceAll('-', '')}` : randomUUID();
      return create({ region, id, spec });
    },
    replicate: (key, region) => create({ region, id: key.id, spec: key.spec }, key),
    alias(name, key) {
      const arn = `arn:aws:kms:${key.region}:${ACCOUNT}:alias/${name}`;
      aliases.set(arn, key);
      return arn;
    },
    allow: (...policy) => account.setPolicies(ROLE, { permissionPolicies: policy }),
    close: () => door.close(),
  };
  return kms;
}

/** What STS calls its refusals of signatures is called otherwise in this protocol. */
const codes: Record<string, string> = {
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
  IncompleteSignature: 'IncompleteSignatureException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  ExpiredToken: 'ExpiredTokenException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
};

const notFound = (why: string) => new AwsError('NotFoundException', why);

function parse(body: Buffer): Parameters {
  try {
    return Object(JSON.parse(body.toString('utf8')));
  } catch {
    throw new AwsError('SerializationException', '');
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > 256 * 1024) throw new AwsError('RequestEntityTooLargeException', 'Request body too large', 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
