import { KmsFailure } from '../kms/failure.ts';
import { KMS_PREFIX, type KmsArn, readKmsPlace } from '../kms/key-arn.ts';
import { Kms } from '../kms/kms.ts';
import { settingRefused } from '../problem/setting-refused.ts';
import { kmsRefused } from './kms-problems.ts';
import { checkKey, parseKey } from './master-key-file.ts';

/** A master key as the settings have it: the 32 bytes themselves, or what KMS has made of them. */
export type ConfiguredMasterKey = Buffer | WrappedMasterKey;

/** A master key that AWS KMS has encrypted. The text is no secret: only who may decrypt with that KMS key can use it. */
export class WrappedMasterKey {
  readonly #setting: string;
  readonly #key: KmsArn;
  readonly #ciphertext: Buffer;
  readonly #issuer: string;

  /**
   * @param setting what holds it, for errors
   * @param issuer the server that it is for: KMS decrypts it for no other
   */
  constructor(setting: string, key: KmsArn, ciphertext: Buffer, issuer: string) {
    this.#setting = setting;
    this.#key = key;
    this.#ciphertext = ciphertext;
    this.#issuer = issuer;
  }

  /**
   * Lets KMS decrypt it.
   *
   * @returns 32 bytes
   * @throws Problem `kms-refused`, `kms-unreachable`, or `setting-refused` when what was wrapped is no master key
   */
  async unwrap(): Promise<Buffer> {
    const ask = (kms: Kms) => kms.decrypt(this.#key, this.#ciphertext, contextOf(this.#issuer));
    return checkKey(this.#setting, await once(ask, this.#setting, ['kms:Decrypt']));
  }
}

/**
 * Lets KMS encrypt a master key.
 *
 * @param master 32 bytes
 * @param issuer the server that it is for
 * @returns `awskms:`, the KMS key's ARN, a colon, and the ciphertext in base64
 * @throws Problem `kms-refused` or `kms-unreachable`
 */
export async function wrapMasterKey(master: Buffer, key: KmsArn, issuer: string): Promise<string> {
  const ask = (kms: Kms) => kms.encrypt(key, master, contextOf(issuer));
  const { ciphertext, arn } = await once(ask, '--kms-key', ['kms:Encrypt', 'kms:Decrypt']);
  return `${KMS_PREFIX}${arn}:${ciphertext.toString('base64')}`;
}

/**
 * Reads a master key from its written form: 32 bytes in base64, or what wrapMasterKey made.
 *
 * @param setting what holds it, for errors, which never repeat it
 * @throws Problem `setting-refused`
 */
export function parseMasterKey(setting: string, text: string, issuer: string): ConfiguredMasterKey {
  const trimmed = text.trim();
  if (!trimmed.startsWith(KMS_PREFIX)) return parseKey(setting, text);
  const end = trimmed.lastIndexOf(':');
  const key = readKmsPlace(trimmed.slice(0, end));
  const ciphertext = trimmed.slice(end + 1);
  if (key === undefined || key.alias || !/^[\w+/]{40,8192}={0,2}$/.test(ciphertext)) {
    throw settingRefused(
      setting,
      '(awskms:…)',
      'awskms: with the ARN of a KMS key, a colon and base64, as `vouch-server master-key wrap` prints it',
    );
  }
  return new WrappedMasterKey(setting, key, Buffer.from(ciphertext, 'base64'), issuer);
}

/** Asks KMS once. */
async function once<Answer>(
  ask: (kms: Kms) => Promise<Answer>,
  setting: string,
  actions: readonly string[],
): Promise<Answer> {
  const kms = new Kms();
  try {
    return await ask(kms);
  } catch (error) {
    throw error instanceof KmsFailure ? kmsRefused(error, setting, actions) : error;
  } finally {
    kms.close();
  }
}

/** It is in AWS's logs of each use (CloudTrail), and what was encrypted for one server cannot be given to another. */
const contextOf = (issuer: string) => ({ 'vouch:issuer': issuer, 'vouch:purpose': 'master key' });
