import { once } from 'node:events';
import { createServer } from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { isLastingFailure, networkFailure } from '../../../cli/network/reason.ts';

const failure = (code: string, message = code) =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });

test.each([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
])('%s does not pass by itself', (code) => {
  expect(isLastingFailure(failure(code))).toBe(true);
});

test.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'ENETUNREACH', 'UND_ERR_SOCKET'])(
  '%s may pass',
  (code) => {
    expect(isLastingFailure(failure(code))).toBe(false);
  },
);

test.each([
  [407, true],
  [403, true],
  [502, false],
  [503, false],
  [429, false],
])('a proxy that answers %i: lasting is %s', (status, lasting) => {
  expect(isLastingFailure(failure('ERR_PROXY_TUNNEL', `Failed to establish tunnel: HTTP/1.1 ${status} No`))).toBe(
    lasting,
  );
});

test('a value that is not an error is not a lasting failure', () => {
  expect(isLastingFailure('no')).toBe(false);
});

test.each([
  ['CERT_HAS_EXPIRED', 'tls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
  // Node's code for a fault that OpenSSL finds in a handshake, if OpenSSL has no code for it.
  ['EPROTO', 'tls'],
  ['ERR_PROXY_TUNNEL: Failed to establish tunnel', 'proxy'],
  ['ECONNREFUSED', 'unreachable'],
])('%s is a failure of kind %s', (code, kind) => {
  expect(networkFailure(failure(code))).toBe(kind);
});

test('a port that does not speak TLS is a failure of TLS', async () => {
  const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const request = https.get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const [error] = await once(request, 'error');
  server.close();
  expect(networkFailure(error)).toBe('tls');
});
