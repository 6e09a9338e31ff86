import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import type { SecureContext } from 'node:tls';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readSource } from '../../../server/fido-metadata/source.ts';
import { TestCa } from '../../aws/test-ca.ts';
import { trust } from '../../support/trust.ts';

/** A name that no resolver knows: only a proxy leads there. */
const HOST = 'mds.invalid';

let ca: TestCa;
beforeAll(async () => {
  ca = await TestCa.create();
  return trust(ca.pem);
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The metadata's server, and a proxy (RFC 9110, section 9.3.6) that leads to it. */
async function startBehindProxy(context: SecureContext) {
  const server = createTlsServer({ SNICallback: (_name, give) => give(null, context) }, (_request, response) => {
    response.setHeader('connection', 'close').end(' a blob\n');
  });
  const port = await listen(server);
  const asked: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, client) => {
    asked.push(String(request.url));
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${await listen(proxy)}`);
  vi.stubEnv('NO_PROXY', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  return asked;
}

test('a URL is fetched through the proxy of the environment', async () => {
  const asked = await startBehindProxy(await ca.contextFor(HOST));
  expect(await readSource({ url: `https://${HOST}/` }, 10_000)).toBe('a blob');
  expect(asked).toEqual([`${HOST}:443`]);
});

test('a server whose certificate is for another name is refused, with the reason', async () => {
  await startBehindProxy(await ca.contextFor('other.invalid'));
  await expect(readSource({ url: `https://${HOST}/` }, 10_000)).rejects.toThrow(/altnames/);
});
