import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { IssuerKeys } from './identity-provider.ts';

/** An issuer that publishes these keys, and counts how often they are fetched. */
async function startIssuer(cacheControl: string | undefined) {
  const published: { keys: JWK[] } = { keys: [] };
  let fetched = 0;
  const server = createServer((request, response) => {
    const issuer = `http://${request.headers.host}`;
    if (request.url === '/jwks') {
      fetched += 1;
      if (cacheControl !== undefined) response.setHeader('cache-control', cacheControl);
      response.end(JSON.stringify(published));
      return;
    }
    const supported = {
      response_types_supported: [],
      subject_types_supported: [],
      id_token_signing_alg_values_supported: [],
    };
    response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks`, ...supported }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, published, fetched: () => fetched };
}

async function newKey(kid: string): Promise<JWK> {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(publicKey)), kid, alg: 'ES256' };
}

test.each([
  ['public, max-age=100', 100],
  [undefined, 300],
  ['no-store', 0],
  ['max-age=0', 0],
])('keys of an issuer that says %s are kept for %d seconds', async (cacheControl, seconds) => {
  const issuer = await startIssuer(cacheControl);
  let now = 0;
  const find = (kid: string) => new Promise((resolve) => resolve(keys({ alg: 'ES256', kid }, {} as never)));
  const keys = new IssuerKeys(() => now).forIssuer(issuer.url);
  issuer.published.keys = [await newKey('first')];
  await find('first');
  if (seconds > 0) {
    now = seconds * 1000 - 1;
    await find('first');
    expect(issuer.fetched()).toBe(1);
  }
  // A revoked key counts until then, and no longer.
  issuer.published.keys = [await newKey('second')];
  now = seconds * 1000;
  await expect(find('first')).rejects.toMatchObject({ code: 'InvalidIdentityToken' });
  expect(issuer.fetched()).toBe(2);
});

test('a token that names an unknown key lets them be fetched again', async () => {
  const issuer = await startIssuer('max-age=300');
  const keys = new IssuerKeys(() => 0).forIssuer(issuer.url);
  issuer.published.keys = [await newKey('first')];
  await keys({ alg: 'ES256', kid: 'first' }, {} as never);
  issuer.published.keys.push(await newKey('second'));
  await keys({ alg: 'ES256', kid: 'second' }, {} as never);
  await keys({ alg: 'ES256', kid: 'first' }, {} as never);
  expect(issuer.fetched()).toBe(2);
});
