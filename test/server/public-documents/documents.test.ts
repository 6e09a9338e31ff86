import { exportJWK, generateKeyPair } from 'jose';
import { expect, test } from 'vitest';
import {
  discoveryUrl,
  jwksUrl,
  type PublishedKey,
  publicDocuments,
} from '../../../server/public-documents/documents.ts';

const ELSEWHERE = { issuer: 'https://vouch.internal.example', awsIssuer: 'https://example.github.io/vouch' };
const OWN = { issuer: 'https://vouch.example.com', awsIssuer: 'https://vouch.example.com' };

test('the documents are where AWS looks for them', () => {
  expect([discoveryUrl(ELSEWHERE), jwksUrl(ELSEWHERE)]).toEqual([
    'https://example.github.io/vouch/.well-known/openid-configuration',
    'https://example.github.io/vouch/.well-known/jwks.json',
  ]);
  expect([discoveryUrl(OWN), jwksUrl(OWN)]).toEqual([
    'https://vouch.example.com/.well-known/openid-configuration',
    'https://vouch.example.com/jwks',
  ]);
});

test('discovery has what AWS asks for, and no address of the private server', () => {
  const [, discovery] = publicDocuments(ELSEWHERE, []);
  expect(discovery?.path).toBe('.well-known/openid-configuration');
  expect(JSON.parse(discovery?.text ?? '')).toEqual({
    issuer: 'https://example.github.io/vouch',
    jwks_uri: 'https://example.github.io/vouch/.well-known/jwks.json',
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    scopes_supported: ['openid'],
    claims_supported: ['aud', 'exp', 'iat', 'iss', 'jti', 'sub'],
  });
  expect(discovery?.text).not.toContain('internal');
});

test('the key set has the public half of each key, even of one that comes with its private half', async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { d, ...half } = await exportJWK(privateKey);
  const publicJwk = {
    ...half,
    d: String(d),
    kid: 'one',
    alg: 'ES256',
    use: 'sig',
    more: 'more',
  } as PublishedKey['publicJwk'];
  const [keys] = publicDocuments(ELSEWHERE, [{ kid: 'one', state: 'current', publicJwk }]);
  expect(keys?.path).toBe('.well-known/jwks.json');
  expect(JSON.parse(keys?.text ?? '')).toEqual({ keys: [{ ...half, kid: 'one', alg: 'ES256', use: 'sig' }] });
  expect(keys?.text).not.toContain(d);
});
