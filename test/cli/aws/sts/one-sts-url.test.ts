import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { assumeRole } from '../../../../cli/aws/sts/assume-role.ts';
import { callerIdentity } from '../../../../cli/aws/sts/caller-identity.ts';
import { assumeRoleWithWebIdentity } from '../../../../cli/aws/sts/web-identity.ts';
import { reachDestinations, stsUrlOf } from '../../../../cli/doctor/reachable.ts';
import { visitTo } from '../../doctor/visit.ts';
import { machine, read, role, root } from '../../support.ts';

/** There is one way to AWS: every request to STS goes to `stsUrl`, whatever AWS's SDK would read. */

afterEach(() => void vi.unstubAllEnvs());

/** The files that AWS's SDK has read. It imports `readFile` when it is loaded, so this comes first. */
const reads = vi.hoisted(() => {
  const promises = process.getBuiltinModule('node:fs/promises');
  const { readFile } = promises;
  const found: string[] = [];
  promises.readFile = ((...args: Parameters<typeof readFile>) => {
    found.push(`${args[0]}`);
    return readFile(...args);
  }) as typeof readFile;
  process.getBuiltinModule('node:module').syncBuiltinESMExports();
  return found;
});

const credentials = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'a-secret', sessionToken: 'a-token', expiration: 0 };
const signal = AbortSignal.timeout(30_000);
const request = { role, region: 'us-east-1', sessionName: 'alice@example.com', duration: 900, signal };

const hops: [name: string, ask: (env: NodeJS.ProcessEnv) => Promise<unknown>][] = [
  ['AssumeRoleWithWebIdentity', (env) => assumeRoleWithWebIdentity({ ...request, env, token: 'an-id-token' })],
  ['AssumeRole', (env) => assumeRole({ ...request, env, source: { role, credentials } })],
  ['GetCallerIdentity', (env) => callerIdentity(credentials, { region: 'us-east-1', env, signal })],
];

/** An HTTP server and proxy on loopback that notes what it was asked for, and serves nothing. */
async function door() {
  const asked: string[] = [];
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    response.writeHead(404).end();
  });
  server.on('connect', ({ url }, client) => {
    asked.push(`CONNECT ${url}`);
    client.on('error', () => {}).end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.each(hops)('%s', (_, ask) => {
  test.each(['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL'])(
    'says no word over plain HTTP to who is not on this machine: %s',
    async (name) => {
      const proxy = await door();
      const proxies = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'].map((proxied) => [proxied, proxy.url]);
      const env = { ...Object.fromEntries(proxies), [name]: 'http://sts.example.com' };
      await expect(ask(env)).rejects.toMatchObject({ kind: 'endpoint', what: expect.stringContaining(name) });
      expect(proxy.asked).toEqual([]);
    },
  );

  test('goes to the region’s STS whatever is in AWS’s config file and the rest of the environment, and reads no such file', async () => {
    const [proxy, elsewhere, the] = [await door(), await door(), machine()];
    const files = ['config', 'credentials'].map((name) => join(the.folder, name));
    for (const file of files)
      writeFileSync(
        file,
        `[default]\nendpoint_url = ${elsewhere.url}\nservices = s\ndefaults_mode = auto\nuse_fips_endpoint = true\n` +
          'use_dualstack_endpoint = true\nsts_regional_endpoints = legacy\nretry_mode = adaptive\nauth_scheme_preference = sigv4a\n' +
          `sdk_ua_app_id = x\n[services s]\nsts =\n  endpoint_url = ${elsewhere.url}\n`,
      );
    const env = {
      HTTPS_PROXY: proxy.url,
      https_proxy: proxy.url,
      AWS_CONFIG_FILE: files[0],
      AWS_SHARED_CREDENTIALS_FILE: files[1],
      AWS_DEFAULTS_MODE: 'auto',
      AWS_EXECUTION_ENV: 'AWS_EC2',
      AWS_STS_REGIONAL_ENDPOINTS: 'legacy',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: elsewhere.url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: elsewhere.url,
      AWS_AUTH_SCHEME_PREFERENCE: 'sigv4a',
    };
    // AWS's SDK would read it from the process.
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    await expect(ask(env)).rejects.toThrow();
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT sts.us-east-1.amazonaws.com:443']));
    expect(elsewhere.asked).toEqual([]);
    expect(reads.filter((file) => files.includes(file))).toEqual([]);
  });

  test('goes to the environment’s address on this machine, and to the FIPS endpoint if that is set', async () => {
    const local = await door();
    const fips = { AWS_USE_FIPS_ENDPOINT: 'true' };
    await expect(ask({ ...fips, AWS_ENDPOINT_URL_STS: local.url })).rejects.toThrow();
    expect(new Set(local.asked)).toEqual(new Set(['POST /']));
    const proxy = await door();
    await expect(ask({ ...fips, HTTPS_PROXY: proxy.url })).rejects.toThrow();
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT sts-fips.us-east-1.amazonaws.com:443']));
  });
});

test('the doctor’s look at the way there is bound by the same rule', async () => {
  const [the, proxy] = [machine(), await door()];
  Object.assign(the.env, {
    AWS_ENDPOINT_URL_STS: 'http://sts.example.com',
    HTTP_PROXY: proxy.url,
    HTTPS_PROXY: proxy.url,
  });
  const visit = await visitTo(the, 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/demo');
  const way = (await reachDestinations(visit)).find(({ name }) => name === 'AWS STS');
  expect(way?.unreached).toMatch(/^AWS_ENDPOINT_URL_STS is not an address where Vouch asks AWS STS\./);
  expect(proxy.asked.filter((one) => one.includes('sts.example.com'))).toEqual([]);
  delete the.env.AWS_ENDPOINT_URL_STS;
  expect(stsUrlOf(visit).href).toBe('https://sts.eu-west-1.amazonaws.com/');
});

test('no other part of the client makes a client of AWS’s SDK, or asks by fetch', () => {
  const sources = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const that = (pattern: RegExp) => sources.filter((name) => pattern.test(read(join(root, 'cli', name))));
  expect(that(/\bnew \w*Client\(/)).toEqual(['aws/sts/client.ts']);
  expect(that(/\bawait fetch\(|[=(] *fetch\(/)).toEqual([]);
  expect(that(/credential-provider|fromIni|fromNodeProviderChain/)).toEqual([]);
});

test('no part that asks STS, nor the session, reads the process’s own environment', () => {
  const sources = ['aws/sts', 'agent/session'].flatMap((folder) =>
    readdirSync(join(root, 'cli', folder), { encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  expect(sources.filter((name) => /process\.env\b/.test(read(join(root, 'cli', name))))).toEqual([]);
});
