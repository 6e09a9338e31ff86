import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { changeConfig } from '../../../cli/config.ts';
import { server as check } from '../../../cli/doctor/checks/server.ts';
import { examine } from '../../../cli/doctor/examine.ts';
import { TestCa } from '../../aws/test-ca.ts';
import { freePort } from '../../support/free-port.ts';
import { type Machine, machine, root, run } from '../support.ts';
import { visitTo } from './visit.ts';

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server on loopback, and its URL. */
async function serve(listener: (url: string) => RequestListener): Promise<string> {
  let url = '';
  const server = createServer((request, response) => listener(url)(request, response));
  url = `http://localhost:${await listen(server)}`;
  return url;
}

/** What the check finds about a server. */
async function findings(the: Machine, url: string | undefined) {
  if (url !== undefined) changeConfig(the.env, { server: url });
  const [result] = await examine([check], await visitTo(the));
  return result?.findings;
}

/** The same in a new process, because CAs and proxy are settings of the whole process. */
async function findingsOfProcess(the: Machine, url: string, env: NodeJS.ProcessEnv = {}) {
  changeConfig(the.env, { server: url });
  const args = [join(root, 'cli/vouch/command-line.ts'), 'doctor', '--json'];
  const { stdout, stderr } = await run(process.execPath, args, { ...the.env, ...env });
  if (stdout === '') throw new Error(stderr);
  const check = JSON.parse(stdout).checks.find(({ id }: { id: string }) => id === 'server');
  return check.findings as { id: string; what: string; why: string[]; fix: string[] }[];
}

const discovery =
  (more: { issuer?: string; date?: Date } = {}) =>
  (url: string): RequestListener =>
  (_request, response) => {
    response.setHeader('date', (more.date ?? new Date()).toUTCString());
    response.end(JSON.stringify({ issuer: more.issuer ?? url }));
  };

describe('the server', () => {
  test('that answers, has the configured name, and has our time, is well', async () => {
    expect(await findings(machine(), await serve(discovery()))).toEqual([]);
  });

  test('that is not configured', async () => {
    expect(await findings(machine(), undefined)).toMatchObject([{ id: 'server.unknown' }]);
  });

  test('whose clock is another', async () => {
    const date = new Date(Date.now() - 11 * 60_000);
    expect(await findings(machine(), await serve(discovery({ date })))).toMatchObject([
      { id: 'server.clock-skew', what: "The clock of this machine is 11 minutes ahead of the server's." },
    ]);
  });

  test('that calls itself something else', async () => {
    expect(await findings(machine(), await serve(discovery({ issuer: 'https://vouch.example.com' })))).toMatchObject([
      { id: 'server.issuer', what: expect.stringContaining('calls itself https://vouch.example.com') },
    ]);
  });

  test.each([
    ['a page', '<html>sign in to this hotel’s network</html>'],
    ['another JSON', '[]'],
    ['an endless answer', 'x'.repeat(1024 * 1024)],
    ['nothing', ''],
  ])('that is not a Vouch server: %s', async (_name, body) => {
    const url = await serve(() => (_request, response) => response.end(body));
    expect(await findings(machine(), url)).toMatchObject([{ id: 'server.not-vouch' }]);
  });

  test('that sends us elsewhere is not followed', async () => {
    const url = await serve(
      () => (_request, response) => response.writeHead(302, { location: 'https://example.com/' }).end(),
    );
    expect(await findings(machine(), url)).toMatchObject([{ id: expect.stringMatching(/^server\./) }]);
  });

  test('whose CA is not known, or is', async () => {
    const ca = await TestCa.create();
    let url = '';
    const server = createHttpsServer(
      { SNICallback: (host, done) => void ca.contextFor(host).then((context) => done(null, context), done) },
      (request, response) => discovery()(url)(request, response),
    );
    url = `https://localhost:${await listen(server)}`;
    const the = machine();
    const [found] = await findingsOfProcess(the, url);
    expect(found).toMatchObject({ id: 'server.tls', fix: [expect.stringContaining('NODE_EXTRA_CA_CERTS')] });
    const file = join(the.folder, 'ca.pem');
    writeFileSync(file, ca.pem);
    expect(await findingsOfProcess(the, url, { NODE_EXTRA_CA_CERTS: file })).toEqual([]);
  });

  test('is not asked if Node would accept any certificate', async () => {
    const url = await serve(discovery());
    const [found] = await findingsOfProcess(machine(), url, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(found).toMatchObject({
      id: 'server.tls-unverified',
      fix: [expect.stringContaining('unset NODE_TLS_REJECT_UNAUTHORIZED')],
    });
  });

  test('behind a proxy that does not answer; the proxy’s password is not shown', async () => {
    const proxy = `http://bob:hunter2@127.0.0.1:${await freePort()}`;
    const [found] = await findingsOfProcess(machine(), 'https://vouch.example.com', { HTTPS_PROXY: proxy });
    expect(found?.id).toBe('server.proxy');
    expect(found?.why.join('\n')).toContain('HTTPS_PROXY=http://…@127.0.0.1');
    expect(JSON.stringify(found)).not.toContain('hunter2');
    const [wrong] = await findingsOfProcess(machine(), 'https://vouch.example.com', {
      HTTPS_PROXY: 'socks5://bob:hunter2@x',
    });
    expect(wrong).toMatchObject({ id: 'server.proxy', what: expect.stringContaining('HTTPS_PROXY') });
    expect(JSON.stringify(wrong)).not.toContain('hunter2');
  });
});
