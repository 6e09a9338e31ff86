import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { agentStatus, awsCredentials, gitCredentials, putSession } from '../../../cli/agent/client/requests.ts';
import { startAgent } from '../../../cli/agent/client/start.ts';
import { awsHttpAgents, proxyEnvironment } from '../../../cli/network/proxies-and-certificates.ts';
import { TestCa } from '../../aws/test-ca.ts';
import { lines, machine, newSession, role, root, run, services, setUpChain, setUpProfile } from '../support.ts';

/** A CONNECT proxy that records its targets. */
async function startProxy(answer: (client: Socket, target: string) => void) {
  const targets: string[] = [];
  const server = createServer((request, response) => {
    targets.push(String(request.url));
    response.writeHead(403).end();
  });
  server.on('connect', (request, client: Socket) => {
    client.on('error', () => client.destroy());
    targets.push(String(request.url));
    answer(client, String(request.url));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, targets };
}

const refuse = (status: string) => (client: Socket) => client.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);

/** A machine behind a proxy, with an agent that has a session. STS is behind the proxy, with a certificate of a test CA. */
async function behindProxy(environment: (caFile: string) => NodeJS.ProcessEnv) {
  const the = machine();
  const world = await services();
  const ca = await TestCa.create();
  const caFile = join(the.folder, 'ca.pem');
  writeFileSync(caFile, ca.pem);
  const { port } = new URL(world.url);
  const sts = createTlsServer({
    SNICallback: (host, done) => void ca.contextFor(host).then((context) => done(null, context), done),
  });
  sts.on('secureConnection', (client) => {
    const upstream = connect(Number(port), '127.0.0.1');
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((done) => sts.listen(0, '127.0.0.1', done));
  onTestFinished(() => void sts.close());
  const proxy = await startProxy((client) => {
    const upstream = connect((sts.address() as AddressInfo).port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  // The Vouch server is on this machine, so no proxy is ever asked for it.
  Object.assign(the.env, { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }, environment(caFile));
  await startAgent(the.env);
  const { pid } = await agentStatus(the.env);
  onTestFinished(() => void process.kill(pid, 'SIGKILL'));
  await putSession(newSession(world.url), the.env);
  return { ...the, world, proxy };
}

describe('the agent', () => {
  test("asks STS of the repository's own region and partition, through the proxy", async () => {
    const the = await behindProxy((caFile) => ({ AWS_CA_BUNDLE: caFile }));
    setUpProfile(the);
    for (const partition of ['aws-cn', 'aws-us-gov', 'aws-eusc']) {
      setUpProfile(the, partition, role.replace('arn:aws:', `arn:${partition}:`));
    }
    setUpChain(the, 'china-team', 'aws-cn', 'arn:aws-cn:iam::210987654321:role/Team');
    for (const [host, profile, target] of [
      ['git-codecommit.eu-west-3.amazonaws.com', 'vouch', 'sts.eu-west-3.amazonaws.com:443'],
      ['git-codecommit-fips.us-east-2.amazonaws.com', 'vouch', 'sts.us-east-2.amazonaws.com:443'],
      ['git-codecommit.us-gov-west-1.amazonaws.com', 'aws-us-gov', 'sts.us-gov-west-1.amazonaws.com:443'],
      ['git-codecommit.cn-northwest-1.amazonaws.com.cn', 'aws-cn', 'sts.cn-northwest-1.amazonaws.com.cn:443'],
      ['git-codecommit.cn-north-1.amazonaws.com.cn', 'aws-cn', 'sts.cn-north-1.amazonaws.com.cn:443'],
      ['git-codecommit.cn-north-1.amazonaws.com.cn', 'china-team', 'sts.cn-north-1.amazonaws.com.cn:443'],
      ['git-codecommit.eusc-de-east-1.amazonaws.eu', 'aws-eusc', 'sts.eusc-de-east-1.amazonaws.eu:443'],
      ['vpce-0a-1b.git-codecommit.us-west-1.vpce.amazonaws.com', 'vouch', 'sts.us-west-1.amazonaws.com:443'],
    ]) {
      const request = `protocol=https\nhost=${host}\npath=v1/repos/demo\nusername=${profile}\n`;
      the.proxy.targets.length = 0;
      expect(lines(await gitCredentials(Buffer.from(request), the.env)).username, host).toMatch(/^ASIA/);
      expect(the.proxy.targets, host).toEqual([target]);
    }
    // Without a region, the role is asked for in a region of its partition.
    the.proxy.targets.length = 0;
    await awsCredentials('arn:aws-cn:iam::210987654321:role/Other', undefined, the.env);
    expect(the.proxy.targets).toEqual(['sts.cn-north-1.amazonaws.com.cn:443']);
  });

  test('takes an STS for a stranger that nobody it knows vouches for', async () => {
    const the = await behindProxy(() => ({}));
    await expect(awsCredentials(role, 'us-east-1', the.env)).rejects.toMatchObject({
      kind: 'aws-unreachable',
      exitCode: 4,
      why: expect.stringContaining('signed by an authority that this machine does not know'),
    });
  });

  test.each([
    ['is not there', undefined, /no such file/],
    ['holds no certificate', 'garbage', /no certificate/],
    ['is broken', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /certificate no\. 1 is broken/],
  ])('names an AWS_CA_BUNDLE that %s', async (_, content, why) => {
    const the = await behindProxy((caFile) => {
      const file = `${caFile}.other`;
      if (content !== undefined) writeFileSync(file, content);
      return { AWS_CA_BUNDLE: file };
    });
    await expect(awsCredentials(role, 'us-east-1', the.env)).rejects.toMatchObject({
      kind: 'ca-bundle',
      what: `The certificates in ${the.env.AWS_CA_BUNDLE} could not be used.`,
      why: expect.stringMatching(why),
    });
    expect(the.proxy.targets).toEqual([]);
  });

  test('says so when the proxy refuses', async () => {
    const proxy = await startProxy(refuse('407 Proxy Authentication Required'));
    const the = await behindProxy(() => ({ HTTPS_PROXY: proxy.url }));
    await expect(awsCredentials(role, 'us-east-1', the.env)).rejects.toMatchObject({
      kind: 'aws-unreachable',
      exitCode: 4,
      why: 'The proxy did not let it through: it answered with status 407.',
    });
    expect(new Set(proxy.targets)).toEqual(new Set(['sts.us-east-1.amazonaws.com:443']));
  });

  test('does not start with a proxy that it would go past', async () => {
    const the = machine();
    the.env.HTTPS_PROXY = 'socks5://user:secret@127.0.0.1:1080';
    const problem = await startAgent(the.env).catch((error) => error);
    expect(problem).toMatchObject({ kind: 'proxy', what: expect.stringContaining('HTTPS_PROXY') });
    expect(problem.lines().join()).not.toContain('secret');
  });
});

describe('the command line', () => {
  const vouch = (env: NodeJS.ProcessEnv, server: string) =>
    run(process.execPath, [join(root, 'cli/vouch/command-line.ts'), 'login', '--no-browser', '--server', server], env);

  test('signs in through the proxy, and says so when that refuses', async () => {
    const the = machine();
    const proxy = await startProxy(refuse('403 Forbidden'));
    the.env.HTTPS_PROXY = proxy.url;
    const { code, stderr } = await vouch(the.env, 'https://vouch.example.com');
    expect([code, proxy.targets]).toEqual([4, ['vouch.example.com:443']]);
    expect(stderr).toContain('The proxy did not let it through: it answered with status 403.');
  });

  test('goes to a server on this machine past the proxy', async () => {
    const the = machine();
    const proxy = await startProxy(refuse('403 Forbidden'));
    Object.assign(the.env, { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NODE_USE_ENV_PROXY: '1' });
    const { url } = await services();
    const { stderr } = await vouch(the.env, url.replace('127.0.0.1', 'localhost'));
    expect(stderr).toContain('did not answer as a Vouch server does');
    expect(proxy.targets).toEqual([]);
  });

  test('needs no proxy to be right for what stays on this machine', async () => {
    const the = machine();
    the.env.HTTPS_PROXY = 'nonsense://';
    expect(
      await run(process.execPath, [join(root, 'cli/vouch/command-line.ts'), 'agent', 'status'], the.env),
    ).toMatchObject({
      stdout: 'No agent is running\n',
      stderr: '',
    });
    const { code, stderr } = await vouch(the.env, 'https://vouch.example.com');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^vouch: HTTPS_PROXY is not the address of a proxy/);
  });
});

describe('the proxies of an environment', () => {
  const own = 'localhost,127.0.0.1,::1';

  test.each([
    [{}, undefined],
    [{ NO_PROXY: 'x' }, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTPS_PROXY: 'http://p:1' }, { HTTPS_PROXY: 'http://p:1/', NO_PROXY: own }],
    [{ HTTPS_PROXY: 'p.example.com:3128' }, { HTTPS_PROXY: 'http://p.example.com:3128/', NO_PROXY: own }],
    [
      { HTTPS_PROXY: 'http://upper:1', https_proxy: 'https://lower:1', http_proxy: 'u:w@plain:2' },
      { HTTPS_PROXY: 'https://lower:1/', HTTP_PROXY: 'http://u:w@plain:2/', NO_PROXY: own },
    ],
    [
      { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'amazonaws.com, .corp.example 10.0.0.1,host:8443,*.x.example' },
      {
        HTTPS_PROXY: 'http://p:1/',
        NO_PROXY: `amazonaws.com,.corp.example,10.0.0.1,host:8443,*.x.example,.amazonaws.com,${own}`,
      },
    ],
    [
      { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'upper', no_proxy: '*' },
      { HTTPS_PROXY: 'http://p:1/', NO_PROXY: `*,${own}` },
    ],
  ])('%j', (env, expected) => {
    expect(proxyEnvironment(env)).toEqual(expected);
  });

  test.each(['socks5://p:1', 'nonsense://', 'http://', ':', 'http://p:99999', 'file:///etc/passwd'])(
    'may not be %s',
    (HTTPS_PROXY) => {
      expect(() => proxyEnvironment({ HTTPS_PROXY })).toThrow(expect.objectContaining({ kind: 'proxy' }));
      expect(() => awsHttpAgents({ HTTPS_PROXY })).toThrow(expect.objectContaining({ kind: 'proxy' }));
    },
  );
});
