import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { signJwt } from '../../../server/signing/sign-jwt.ts';
import type { SigningKey } from '../../../server/signing/signing-key.ts';

test('a token from a remote key is what jose makes with the same key, and jose verifies it', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const signedBytes: string[] = [];
  const key: SigningKey = {
    kid: 'elsewhere',
    publicJwk: { ...(await exportJWK(publicKey)), alg: 'ES256' },
    async sign(bytes) {
      signedBytes.push(Buffer.from(bytes).toString());
      const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
      return new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, Uint8Array.from(bytes)));
    },
  };
  const claims = { sub: 'älice@example.com', aud: 'https://aws.example', exp: 9_999_999_999, roles: ['a', { b: '"' }] };
  const token = await signJwt(key, claims);
  const header = { alg: 'ES256', kid: 'elsewhere', typ: 'JWT' };
  const joses = await new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
  // Two signatures of ES256 differ, but what is before them does not.
  expect(token.split('.').slice(0, 2)).toEqual(joses.split('.').slice(0, 2));
  expect(signedBytes).toEqual([token.slice(0, token.lastIndexOf('.'))]);
  const { payload, protectedHeader } = await jwtVerify(token, publicKey);
  expect({ payload, protectedHeader }).toEqual({ payload: claims, protectedHeader: header });
  await expect(jwtVerify(`${token.slice(0, -8)}AAAAAAAA`, publicKey)).rejects.toThrow();
});
