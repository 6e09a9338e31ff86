import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Facts, Result } from '../../../cli/doctor/check.ts';
import { awsDocuments } from '../../../cli/doctor/checks/aws-documents.ts';
import { examine } from '../../../cli/doctor/examine.ts';
import { freePort } from '../../support/free-port.ts';
import { machine } from '../support.ts';
import { visitTo } from './visit.ts';

const SERVER = 'https://vouch.internal.example';

/** A static host, below a path. */
async function staticHost(answer: (path: string, issuer: string, response: ServerResponse) => void): Promise<string> {
  let issuer = '';
  const listener: RequestListener = (request, response) => answer(request.url ?? '', issuer, response);
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => void server.close());
  issuer = `http://localhost:${(server.address() as AddressInfo).port}/vouch`;
  return issuer;
}

/** What a static host serves, with changes. */
const documents =
  ({
    issuer,
    jwks_uri,
    keys = [{ kid: 'old' }, { kid: 'mine' }],
  }: {
    issuer?: string;
    jwks_uri?: unknown;
    keys?: unknown;
  } = {}) =>
  (path: string, url: string, response: ServerResponse) => {
    const pages: Record<string, unknown> = {
      '/vouch/.well-known/openid-configuration': {
        issuer: issuer ?? url,
        jwks_uri: jwks_uri === undefined ? `${url}/.well-known/jwks.json` : jwks_uri,
      },
      '/vouch/.well-known/jwks.json': { keys },
    };
    if (pages[path] === undefined) response.writeHead(404);
    response.end(JSON.stringify(pages[path] ?? 'nothing'));
  };

async function check(facts: Facts): Promise<Result[]> {
  return examine([awsDocuments], await visitTo(machine(), undefined, { server: SERVER, ...facts }));
}

const about = async (iss: string, keyId: string | undefined = 'mine') =>
  (await check({ claims: { iss }, ...(keyId === undefined ? {} : { keyId }) }))[0];

test('there is nothing to check without a token, or where AWS reads from the server itself', async () => {
  expect(await check({})).toEqual([]);
  expect(await check({ claims: { iss: SERVER } })).toEqual([]);
  expect(await check({ claims: { iss: 'ftp://id.example.com' } })).toEqual([]);
  expect(await check({ claims: { iss: 7 } })).toEqual([]);
});

test('the key of the token is there', async () => {
  const issuer = await staticHost(documents());
  expect(await about(issuer)).toMatchObject({
    id: 'aws-documents',
    status: 'ok',
    says: `${issuer} has the key of your token`,
    data: { issuer },
  });
});

test('an agent that does not tell the key’s name is not held against the host', async () => {
  const result = await check({ claims: { iss: await staticHost(documents({ keys: [] })) } });
  expect(result).toMatchObject([{ status: 'ok' }]);
});

test.each<[string, Parameters<typeof documents>[0]]>([
  ['key-missing', { keys: [{ kid: 'old' }, null, 7] }],
  ['key-missing', { keys: 'none' }],
  ['issuer', { issuer: 'https://other.example' }],
  ['keys-elsewhere', { jwks_uri: 'https://other.example/jwks' }],
  ['keys-elsewhere', { jwks_uri: null }],
])('%s is a fault, and the administrator’s to mend', async (what, changes) => {
  expect(await about(await staticHost(documents(changes)))).toMatchObject({
    status: 'failed',
    findings: [{ id: `aws-documents.${what}`, steps: [expect.stringContaining('vouch-server publish --check')] }],
  });
});

test.each<[string, (response: ServerResponse) => void]>([
  ['another status', (response) => response.writeHead(403).end('{}')],
  ['a redirection', (response) => response.writeHead(302, { location: 'https://example.com/' }).end('{}')],
  ['a page', (response) => response.end('<html>')],
  ['an endless answer', (response) => response.end(' '.repeat(1024 * 1024))],
])('%s is a fault', async (_name, answer) => {
  const issuer = await staticHost((_path, _issuer, response) => answer(response));
  expect(await about(issuer)).toMatchObject({ status: 'failed', findings: [{ id: 'aws-documents.unfit' }] });
});

test('a host that cannot be reached from here is only a warning: AWS may reach it', async () => {
  expect(await about(`http://localhost:${await freePort()}`)).toMatchObject({
    status: 'warning',
    findings: [{ id: 'aws-documents.unreachable', severity: 'warning' }],
  });
});
