import type { KMSClient, ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-kms';
import { Problem } from '../problem/problem.ts';
import { settingRefused } from '../problem/setting-refused.ts';
import { kmsCalls } from './calls.ts';
import { KmsFailure, kmsFailure } from './failure.ts';
import { awsHttpAgents } from './http-agents.ts';
import type { KmsArn } from './key-arn.ts';

/** Milliseconds: for a connection, for an answer to one try, and for all tries together with the pauses between them. */
const [CONNECT_MS, TRY_MS, WHOLE_MS] = [1_000, 2_000, 5_000];

/** How often a request is tried. The SDK tries again after a random pause, and less often if much fails. */
const TRIES = 3;

/** How many requests are sent at once, and how many may be under way with those that wait. More are refused. */
const [MOST_SENT, MOST] = [50, 500];

/** The longest answer that is read, in bytes. The longest one that KMS gives to us has less than 10,000. */
const LONGEST_ANSWER = 64 * 1024;

/** The public half of a KMS key, and what the key is for (KMS API reference, GetPublicKey). */
export interface KmsPublicKey {
  /** The key's own ARN, also if an alias was asked for. */
  arn: string;
  spec: string;
  usage: string;
  algorithms: readonly string[];
  /** SubjectPublicKeyInfo (RFC 5280, section 4.1), DER. */
  spki: Buffer;
}

type Sdk = typeof import('@aws-sdk/client-kms');

/**
 * AWS KMS, in the region of the key that is used. Credentials, and AWS_ENDPOINT_URL_KMS, come from where AWS's SDK finds them. The SDK
 * is loaded when it is first used: it takes long.
 *
 * @throws KmsFailure whatever the method
 */
export class Kms {
  readonly #env: Record<string, string | undefined>;
  readonly #clients = new Map<string, KMSClient>();
  #sdk: Promise<Sdk> | undefined;
  #running = 0;

  /** @param env the process's environment, for proxies and AWS_CA_BUNDLE */
  constructor(env: Record<string, string | undefined> = process.env) {
    this.#env = env;
  }

  async publicKey(key: KmsArn): Promise<KmsPublicKey> {
    const answer = await this.#call(
      'GetPublicKey',
      key,
      ({ GetPublicKeyCommand }) => new GetPublicKeyCommand({ KeyId: key.arn }),
    );
    const { KeyId: arn, KeySpec: spec, KeyUsage: usage, SigningAlgorithms: algorithms = [], PublicKey: spki } = answer;
    if (arn === undefined || spec === undefined || usage === undefined || spki === undefined) {
      throw incomplete('GetPublicKey', key);
    }
    return { arn, spec, usage, algorithms, spki: Buffer.from(spki) };
  }

  /** Signs a SHA-256 digest with ECDSA. @returns DER (RFC 3279, section 2.2.3) */
  async sign(key: KmsArn, digest: Buffer): Promise<Buffer> {
    const input = {
      KeyId: key.arn,
      Message: digest,
      MessageType: 'DIGEST',
      SigningAlgorithm: 'ECDSA_SHA_256',
    } as const;
    const { Signature } = await this.#call('Sign', key, ({ SignCommand }) => new SignCommand(input));
    if (Signature === undefined) throw incomplete('Sign', key);
    return Buffer.from(Signature);
  }

  /**
   * Encrypts at most 4,096 bytes.
   *
   * @param context what must be given again to decrypt it; it is in AWS's logs
   * @returns the ciphertext, and the ARN of the key that made it
   */
  async encrypt(
    key: KmsArn,
    plaintext: Buffer,
    context: Record<string, string>,
  ): Promise<{ ciphertext: Buffer; arn: string }> {
    const input = { KeyId: key.arn, Plaintext: plaintext, EncryptionContext: context };
    const answer = await this.#call('Encrypt', key, ({ EncryptCommand }) => new EncryptCommand(input));
    if (answer.CiphertextBlob === undefined || answer.KeyId === undefined) throw incomplete('Encrypt', key);
    return { ciphertext: Buffer.from(answer.CiphertextBlob), arn: answer.KeyId };
  }

  /** Decrypts what this key has encrypted in this context. */
  async decrypt(key: KmsArn, ciphertext: Buffer, context: Record<string, string>): Promise<Buffer> {
    const input = { KeyId: key.arn, CiphertextBlob: ciphertext, EncryptionContext: context };
    const { Plaintext } = await this.#call('Decrypt', key, ({ DecryptCommand }) => new DecryptCommand(input));
    if (Plaintext === undefined) throw incomplete('Decrypt', key);
    return Buffer.from(Plaintext);
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }

  async #call<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    operation: string,
    key: KmsArn,
    command: (sdk: Sdk) => Parameters<typeof KMSClient.prototype.send<Input, Output>>[0],
  ): Promise<Output> {
    if (this.#running >= MOST) throw new KmsFailure('busy', operation, key.arn, `${MOST} requests are under way`);
    this.#running += 1;
    const deadline = AbortSignal.timeout(WHOLE_MS);
    try {
      this.#sdk ??= import('@aws-sdk/client-kms');
      const sdk = await this.#sdk;
      const client = this.#client(sdk, key.region);
      const send = () => client.send(command(sdk), { abortSignal: deadline });
      // Raced, because the SDK takes no signal while it looks for credentials.
      return await kmsCalls.tracePromise(() => Promise.race([send(), rejectAt(deadline)]), {
        operation,
        region: key.region,
      });
    } catch (error) {
      // A setting of the network.
      if (error instanceof Problem) throw error;
      throw kmsFailure(error, operation, key.arn);
    } finally {
      this.#running -= 1;
    }
  }

  #client({ KMSClient }: Sdk, region: string): KMSClient {
    const known = this.#clients.get(region);
    if (known !== undefined) return known;
    const client = new KMSClient({
      region,
      maxAttempts: TRIES,
      retryMode: 'standard',
      defaultsMode: 'standard',
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: TRY_MS,
        throwOnRequestTimeout: true,
        logger: silent,
        ...awsHttpAgents(this.#env, MOST_SENT),
      },
    });
    refusePlainHttp(client);
    boundAnswers(client);
    this.#clients.set(region, client);
    return client;
  }
}

/** The SDK's handler would warn on standard error when requests wait. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function incomplete(operation: string, { arn }: KmsArn): KmsFailure {
  return new KmsFailure('broken', operation, arn, 'the answer is incomplete');
}

function rejectAt(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Plain HTTP would show the master key to the network. Only on this machine is there none. */
function refusePlainHttp(client: KMSClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const { protocol, hostname } = args.request as { protocol: string; hostname: string };
      if (protocol !== 'https:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
        throw settingRefused('AWS_ENDPOINT_URL_KMS', `${protocol}//${hostname}`, 'an https URL');
      }
      return next(args);
    },
    { step: 'build' },
  );
}

/** The SDK would read any answer to its end. */
function boundAnswers(client: KMSClient): void {
  // With low priority this runs before the SDK parses the answer.
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: AsyncIterable<Uint8Array> };
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of response.body ?? []) {
        length += chunk.length;
        if (length > LONGEST_ANSWER) throw new Error(`the answer has more than ${LONGEST_ANSWER} bytes`);
        chunks.push(chunk);
      }
      Object.assign(response, { body: Buffer.concat(chunks) });
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
}
