import { expect, test } from 'vitest';
import { isLastingFailure } from '../../../cli/network/reason.ts';

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

test('what is no error is none that lasts', () => {
  expect(isLastingFailure('no')).toBe(false);
});
