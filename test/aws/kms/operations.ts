import { createHash } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import { invalidCiphertext, type KmsKey, keyIdOf } from './key.ts';

/** The parameters of a request, as JSON. */
export type Parameters = Record<string, unknown>;

/** The keys of a region and an account, as its requests name them. */
export interface Keys {
  /** By key ID, key ARN, alias name or alias ARN. @throws AwsError NotFoundException */
  find(name: string): KmsKey;
  /** By the key ID that a ciphertext has. */
  byId(id: string): KmsKey | undefined;
}

type Operation = (parameters: Parameters, keys: Keys) => { key: KmsKey; run: () => Record<string, unknown> };

/** Four operations of AWS KMS. First the key is found, so that permissions can be checked, then the rest is done. */
export const operations: Record<string, Operation> = {
  /** https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html */
  GetPublicKey: (parameters, keys) => {
    const key = keys.find(text(parameters, 'KeyId', 2048));
    const run = () => {
      const publicKey = key.publicKey();
      checkUsable(key);
      return {
        KeyId: key.arn,
        PublicKey: publicKey.toString('base64'),
        CustomerMasterKeySpec: key.spec,
        KeySpec: key.spec,
        KeyUsage: key.usage,
        ...(key.signingAlgorithms.length > 0 && { SigningAlgorithms: key.signingAlgorithms }),
      };
    };
    return { key, run };
  },

  /** https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html */
  Sign: (parameters, keys) => {
    const name = text(parameters, 'KeyId', 2048);
    const message = bytes(parameters, 'Message', 4096);
    const algorithm = text(parameters, 'SigningAlgorithm', 64);
    const { MessageType: type = 'RAW' } = parameters;
    if (!['RAW', 'DIGEST', 'EXTERNAL_MU'].includes(String(type))) {
      throw constraint('messageType', 'Member must satisfy enum value set: [RAW, DIGEST, EXTERNAL_MU]');
    }
    const key = keys.find(name);
    const run = () => {
      checkUsable(key);
      checkUsage(key, 'SIGN_VERIFY', 'Sign');
      if (!key.signingAlgorithms.includes(algorithm)) {
        throw new AwsError(
          'InvalidKeyUsageException',
          `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`,
        );
      }
      if (type !== 'RAW' && message.length !== 32) {
        throw new AwsError('ValidationException', `Digest is invalid length for algorithm ${algorithm}.`);
      }
      const digest = type === 'RAW' ? createHash('sha256').update(message).digest() : message;
      const signature = key.signDigest(digest).toString('base64');
      return { KeyId: key.arn, Signature: signature, SigningAlgorithm: algorithm };
    };
    return { key, run };
  },

  /** https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html */
  Encrypt: (parameters, keys) => {
    const key = keys.find(text(parameters, 'KeyId', 2048));
    const plaintext = bytes(parameters, 'Plaintext', 4096);
    const run = () => {
      checkUsable(key);
      checkUsage(key, 'ENCRYPT_DECRYPT', 'Encrypt');
      const blob = key.encrypt(plaintext, contextOf(parameters));
      return { KeyId: key.arn, CiphertextBlob: blob.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    };
    return { key, run };
  },

  /** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
  Decrypt: (parameters, keys) => {
    const blob = bytes(parameters, 'CiphertextBlob', 6144);
    const named = parameters.KeyId === undefined ? undefined : keys.find(text(parameters, 'KeyId', 2048));
    const made = keys.byId(keyIdOf(blob) ?? '');
    if (made === undefined) throw invalidCiphertext();
    if (named !== undefined && named !== made) {
      throw new AwsError(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
    }
    const run = () => {
      checkUsable(made);
      checkUsage(made, 'ENCRYPT_DECRYPT', 'Decrypt');
      const plaintext = made.decrypt(blob, contextOf(parameters)).toString('base64');
      return { KeyId: made.arn, Plaintext: plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    };
    return { key: made, run };
  },
};

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
function checkUsable(key: KmsKey): void {
  if (key.state === 'Disabled') throw new AwsError('DisabledException', `${key.arn} is disabled.`);
  if (key.state === 'PendingDeletion') {
    throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
  }
}

function checkUsage(key: KmsKey, usage: KmsKey['usage'], operation: string): void {
  if (key.usage === usage) return;
  throw new AwsError(
    'InvalidKeyUsageException',
    `${key.arn} key usage is ${key.usage} which is not valid for ${operation}.`,
  );
}

const constraint = (member: string, why: string) =>
  new AwsError(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${why}`,
  );

const memberOf = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

function text(parameters: Parameters, name: string, longest: number): string {
  const value = parameters[name];
  if (value === undefined || value === null) throw constraint(memberOf(name), 'Member must not be null');
  if (typeof value !== 'string') throw new AwsError('SerializationException', `${name} is not a string`);
  if (value === '') throw constraint(memberOf(name), 'Member must have length greater than or equal to 1');
  if (value.length > longest) {
    throw constraint(memberOf(name), `Member must have length less than or equal to ${longest}`);
  }
  return value;
}

function bytes(parameters: Parameters, name: string, longest: number): Buffer {
  const value = Buffer.from(text(parameters, name, longest * 2), 'base64');
  if (value.length > longest) {
    throw constraint(memberOf(name), `Member must have length less than or equal to ${longest}`);
  }
  return value;
}

function contextOf({ EncryptionContext: context = {} }: Parameters): Record<string, string> {
  const values = Object.values(Object(context));
  if (!values.every((value) => typeof value === 'string')) {
    throw new AwsError('SerializationException', 'EncryptionContext is not a map of strings');
  }
  return Object(context);
}
