import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  DecryptCommand,
  EncryptCommand,
  GetPublicKeyCommand,
  KMSClient,
  type KMSClientConfig,
  SignCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KmsKey } from './key.ts';
import { type LocalKms, startLocalKms } from './start.ts';

let kms: LocalKms;
let key: KmsKey;
let secret: KmsKey;
beforeAll(async () => {
  kms = await startLocalKms();
});
afterAll(() => kms.close());
beforeEach(() => {
  kms.fault = undefined;
  kms.now = () => new Date();
  kms.allow({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' } });
  key = kms.createKey();
  secret = kms.createKey({ spec: 'SYMMETRIC_DEFAULT' });
});

const client = (changes: Partial<KMSClientConfig> = {}) =>
  new KMSClient({
    endpoint: kms.url,
    region: 'eu-central-1',
    maxAttempts: 1,
    credentials: {
      accessKeyId: kms.env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: kms.env.AWS_SECRET_ACCESS_KEY ?? '',
      sessionToken: kms.env.AWS_SESSION_TOKEN ?? '',
    },
    ...changes,
  });
const digest = createHash('sha256').update('a message').digest();
const sign = (changes: object = {}) =>
  new SignCommand({
    KeyId: key.arn,
    Message: digest,
    MessageType: 'DIGEST',
    SigningAlgorithm: 'ECDSA_SHA_256',
    ...changes,
  });
const refused = (name: string, said?: RegExp) => ({ name, ...(said && { message: expect.stringMatching(said) }) });

describe('through AWS’s own SDK', () => {
  it('signs digests and messages, and the public key verifies both', async () => {
    const { PublicKey, ...about } = await client().send(new GetPublicKeyCommand({ KeyId: key.id }));
    expect(about).toMatchObject({
      KeyId: key.arn,
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      SigningAlgorithms: ['ECDSA_SHA_256'],
    });
    const publicKey = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    for (const message of [{}, { Message: Buffer.from('a message'), MessageType: undefined }]) {
      for (let round = 0; round < 50; round += 1) {
        const { Signature, KeyId } = await client().send(sign(message));
        expect(KeyId).toBe(key.arn);
        expect(verify('sha256', Buffer.from('a message'), publicKey, Signature ?? Buffer.alloc(0))).toBe(true);
      }
    }
    expect(kms.log.at(-1)).toEqual({ operation: 'Sign', region: 'eu-central-1', key: key.arn, outcome: 'OK' });
  });

  it('finds keys by alias, and gives the replicas of one key the same public half', async () => {
    const arn = kms.alias('vouch', key);
    expect(arn).toBe('arn:aws:kms:eu-central-1:123456789012:alias/vouch');
    for (const KeyId of [arn, 'alias/vouch']) expect((await client().send(sign({ KeyId }))).KeyId).toBe(key.arn);
    const first = kms.createKey({ multiRegion: true });
    const second = kms.replicate(first, 'eu-west-1');
    expect(second.arn).toMatch(/^arn:aws:kms:eu-west-1:123456789012:key\/mrk-[\da-f]{32}$/);
    expect(second.publicKey()).toEqual(first.publicKey());
    const { KeyId } = await client({ region: 'eu-west-1' }).send(sign({ KeyId: second.arn }));
    expect(KeyId).toBe(second.arn);
  });

  it('decrypts what it has encrypted, with the same key and context only', async () => {
    const context = { EncryptionContext: { a: '1', b: '2' } };
    const plain = Buffer.from('plain');
    const { CiphertextBlob } = await client().send(
      new EncryptCommand({ KeyId: secret.arn, Plaintext: plain, ...context }),
    );
    const decrypt = (more: object) => client().send(new DecryptCommand({ CiphertextBlob, ...context, ...more }));
    for (const more of [{}, { KeyId: secret.arn }, { EncryptionContext: { b: '2', a: '1' } }]) {
      expect(Buffer.from((await decrypt(more)).Plaintext ?? [])).toEqual(plain);
    }
    await expect(decrypt({ EncryptionContext: { a: '1' } })).rejects.toMatchObject(
      refused('InvalidCiphertextException'),
    );
    const other = kms.createKey({ spec: 'SYMMETRIC_DEFAULT' });
    await expect(decrypt({ KeyId: other.arn })).rejects.toMatchObject(refused('IncorrectKeyException'));
    const changed = Buffer.from(CiphertextBlob ?? []);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    for (const CiphertextBlob of [changed, Buffer.from('no ciphertext')]) {
      await expect(decrypt({ CiphertextBlob })).rejects.toMatchObject(refused('InvalidCiphertextException'));
    }
  });
});

describe('it refuses', () => {
  it.each([
    ['a digest of another length', { Message: digest.subarray(1) }, 'ValidationException', /Digest is invalid length/],
    ['a message that is too long', { Message: Buffer.alloc(4097), MessageType: 'RAW' }, 'ValidationException', /4096/],
    ['another type of message', { MessageType: 'HASH' }, 'ValidationException', /enum value set/],
    ['an algorithm of other keys', { SigningAlgorithm: 'ECDSA_SHA_384' }, 'InvalidKeyUsageException', /incompatible/],
    [
      'an unknown key',
      { KeyId: `arn:aws:kms:eu-central-1:123456789012:key/${'0'.repeat(8)}` },
      'NotFoundException',
      /./,
    ],
    ['an unknown alias', { KeyId: 'alias/nobody' }, 'NotFoundException', /is not found/],
    [
      'a key of another region',
      { KeyId: 'arn:aws:kms:us-east-1:123456789012:key/1' },
      'NotFoundException',
      /Invalid arn us-east-1/,
    ],
    ['a request without a key', { KeyId: undefined }, 'ValidationException', /keyId/],
  ])('%s', async (_, changes, name, said) => {
    await expect(client().send(sign(changes))).rejects.toMatchObject(refused(name, said));
  });

  it('operations that a key is not for', async () => {
    await expect(client().send(sign({ KeyId: secret.arn }))).rejects.toMatchObject(refused('InvalidKeyUsageException'));
    const encrypt = new EncryptCommand({ KeyId: key.arn, Plaintext: Buffer.from('x') });
    await expect(client().send(encrypt)).rejects.toMatchObject(refused('InvalidKeyUsageException', /SIGN_VERIFY/));
    const publicKey = new GetPublicKeyCommand({ KeyId: secret.arn });
    await expect(client().send(publicKey)).rejects.toMatchObject(refused('UnsupportedOperationException'));
    const { KeySpec } = await client().send(
      new GetPublicKeyCommand({ KeyId: kms.createKey({ spec: 'RSA_2048' }).arn }),
    );
    expect(KeySpec).toBe('RSA_2048');
  });

  it('keys that are disabled or about to be deleted', async () => {
    key.state = 'Disabled';
    for (const command of [sign(), new GetPublicKeyCommand({ KeyId: key.arn })]) {
      await expect(client().send(command as SignCommand)).rejects.toMatchObject(
        refused('DisabledException', /is disabled/),
      );
    }
    key.state = 'PendingDeletion';
    await expect(client().send(sign())).rejects.toMatchObject(refused('KMSInvalidStateException', /pending deletion/));
  });

  it('what the role may not do', async () => {
    kms.allow({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'kms:GetPublicKey', Resource: key.arn } });
    await client().send(new GetPublicKeyCommand({ KeyId: key.arn }));
    await expect(client().send(sign())).rejects.toMatchObject(refused('AccessDeniedException', /kms:Sign on resource/));
  });

  it('requests that somebody else has signed, for another service, long ago, or nobody', async () => {
    const stranger = { accessKeyId: 'ASIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x', sessionToken: 'y' };
    await expect(client({ credentials: stranger }).send(sign())).rejects.toMatchObject(
      refused('UnrecognizedClientException'),
    );
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SESSION_TOKEN: sessionToken = '' } = kms.env;
    const wrong = client({ credentials: { accessKeyId, secretAccessKey: 'wrong', sessionToken } });
    await expect(wrong.send(sign())).rejects.toMatchObject(refused('InvalidSignatureException'));
    kms.now = () => new Date(Date.now() + 3600_000);
    await expect(client().send(sign())).rejects.toMatchObject(refused('InvalidSignatureException', /expired/));
    const unsigned = await fetch(kms.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'TrentService.Sign' },
      body: '{}',
    });
    expect(unsigned.status).toBe(400);
    expect(await unsigned.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });

  it('everything while it has a fault', async () => {
    kms.fault = { kind: 'throttle', times: 1 };
    await expect(client().send(sign())).rejects.toMatchObject(refused('ThrottlingException'));
    kms.fault = { kind: 'fail' };
    await expect(client().send(sign())).rejects.toMatchObject({
      name: 'KMSInternalException',
      $metadata: { httpStatusCode: 500 },
    });
    kms.fault = { kind: 'refuse' };
    await expect(client().send(sign())).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    kms.fault = { kind: 'garbage', body: 'Welcome to the Grand Hotel' };
    await expect(client().send(sign())).rejects.toThrow();
    kms.fault = undefined;
    await client().send(sign());
  });
});
