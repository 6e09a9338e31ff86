import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, type SecureContext, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { assumeRoleWithWebIdentity } from '../../../cli/aws/sts/web-identity.ts';
import { startEnrolment } from '../../../cli/enrolment/enrolment.ts';
import { discover } from '../../../cli/login/oidc-client.ts';
import { isLastingFailure, networkFix, whyUnreachable } from '../../../cli/network/reason.ts';
import { TestCa } from '../../aws/test-ca.ts';
import { freePort } from '../../support/free-port.ts';

/** Makes this process trust these authorities, as NODE_EXTRA_CA_CERTS does. */
const usual = getCACertificates('default');
let ca: TestCa;
beforeEach(async () => {
  ca = await TestCa.create();
});
afterEach(() => {
  setDefaultCACertificates(usual);
});

/** A server with this certificate. No client gets an answer. */
async function serve(context: SecureContext): Promise<string> {
  const server = createServer({ SNICallback: (_host, done) => done(null, context) }, (_request, response) =>
    response.end(),
  );
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => void server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

const signal = () => AbortSignal.timeout(30_000);
const askers = {
  'vouch login': (url: string) => discover(url, signal()),
  'vouch enroll': (url: string) => startEnrolment(url, { invitation: 'x', machine: 'm' }, signal()),
  'the agent': (url: string) =>
    assumeRoleWithWebIdentity({
      role: 'arn:aws:iam::123456789012:role/VouchDeveloper',
      region: 'us-east-1',
      env: { AWS_ENDPOINT_URL_STS: url },
      sessionName: 'alice@example.com',
      duration: 900,
      token: 'an-id-token',
      signal: signal(),
    }),
};

interface Case {
  what: string;
  /** Whether the authority is trusted. */
  trusted: boolean;
  context: () => Promise<SecureContext>;
  why: string;
  fix: string;
}

const cases: Case[] = [
  {
    what: 'an authority that is not known, and shows itself',
    trusted: false,
    context: () => ca.contextFor('localhost'),
    why: 'signed by an authority that this machine does not know',
    fix: 'export NODE_EXTRA_CA_CERTS=/path/to/ca.pem',
  },
  {
    what: 'an authority that is not known, and does not show itself',
    trusted: false,
    context: () => ca.unfitContextFor('localhost', { alone: true }),
    why: 'signed by an authority that this machine does not know',
    fix: 'export NODE_EXTRA_CA_CERTS=/path/to/ca.pem',
  },
  {
    what: 'a certificate that has expired',
    trusted: true,
    context: () => ca.unfitContextFor('localhost', { days: [-2, -1] }),
    why: 'has expired',
    fix: "Check this machine's clock; if it is right, tell the server's administrator to renew the certificate.",
  },
  {
    what: 'a certificate of tomorrow',
    trusted: true,
    context: () => ca.unfitContextFor('localhost', { days: [1, 2] }),
    why: 'is not valid yet',
    fix: "Check this machine's clock",
  },
  {
    what: 'another host’s certificate',
    trusted: true,
    context: () => ca.contextFor('vouch.example.com'),
    why: 'is for another host',
    fix: 'Check the URL: its host must be one that the certificate is for.',
  },
];

describe.each(Object.entries(askers))('%s says of', (_who, ask) => {
  test.each(cases)('$what what to do about that', async ({ trusted, context, why, fix }) => {
    const url = await serve(await context());
    if (trusted) setDefaultCACertificates([...usual, ca.pem]);
    await expect(ask(url)).rejects.toMatchObject({
      what: expect.stringMatching(/cannot be reached|could not be reached/),
      why: expect.stringContaining(why),
      fix: expect.stringContaining(fix),
      exitCode: 4,
    });
  });
});

test('a self-signed certificate is reported as such', () => {
  const error = new Error('fetch failed', {
    cause: Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
  });
  expect(whyUnreachable(error)).toBe('Its TLS certificate is self-signed.');
  expect(networkFix(error)).toContain('NODE_EXTRA_CA_CERTS');
});

// Node's manual, "X509 certificate error codes".
test.each([
  'UNABLE_TO_GET_ISSUER_CERT',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_CHAIN_TOO_LONG',
  'CERT_SIGNATURE_FAILURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'CRL_HAS_EXPIRED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
])('%s is a fault of the certificate, not of the network', (code) => {
  const error = Object.assign(new Error('so it is'), { code });
  expect(whyUnreachable(error)).not.toBeUndefined();
  expect(isLastingFailure(error)).toBe(true);
  expect(networkFix(error)).toMatch(/NODE_EXTRA_CA_CERTS|the server's administrator/);
});

test('a server that does not speak TLS is not a fault of the network either', async () => {
  const error = Object.assign(new Error('wrong version number'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' });
  expect(networkFix(error)).toBe('Check the port in the URL.');
});

test('the fix for the agent, which keeps its environment, is to start it again', async () => {
  const url = await serve(await ca.contextFor('localhost'));
  await expect(askers['the agent'](url)).rejects.toMatchObject({
    fix: expect.stringContaining('then `vouch agent stop` and `vouch login`'),
  });
});

test('if nothing listens, the fix is to check the network', async () => {
  await expect(askers['vouch login'](`http://localhost:${await freePort()}`)).rejects.toMatchObject({
    fix: 'Check your network or VPN and the URL, then try again.',
  });
});

test.each([
  [407, 'wants a password'],
  [403, 'NO_PROXY'],
  [502, 'NO_PROXY'],
])('if a proxy answers %i, the fix is to check the proxy', (status, fix) => {
  const error = new Error(`Failed to establish tunnel: HTTP/1.1 ${status} No`);
  expect(networkFix(error)).toContain(fix);
});
