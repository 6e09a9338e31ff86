import { spawn } from 'node:child_process';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCa } from '../aws/test-ca.ts';
import { type LaunchedBrowser, launchBrowser } from '../browser/launch.ts';
import { addSecurityKey, type SecurityKey } from '../browser/security-key.ts';
import { type Machine, machine, root } from '../cli/support.ts';
import { inviteCode, startServer, type TestServer } from '../server/support.ts';
import { freePort } from '../support/free-port.ts';

/** As in production: an https issuer, a reverse proxy that ends TLS, and programs that check its certificate. */
let server: TestServer;
let proxy: ReturnType<typeof createHttpsServer>;
let ca: TestCa;
let launched: LaunchedBrowser;
let page: Page;
let key: SecurityKey;
let issuer: string;

beforeAll(async () => {
  ca = await TestCa.create();
  const [outside, inside] = [await freePort(), await freePort()];
  issuer = `https://localhost:${outside}`;
  server = await startServer({
    VOUCH_ISSUER: issuer,
    VOUCH_LISTEN: `127.0.0.1:${inside}`,
    VOUCH_MASTER_KEY: randomBytes(32).toString('base64'),
  });
  proxy = createHttpsServer(
    { SNICallback: (host, done) => void ca.contextFor(host).then((context) => done(null, context), done) },
    (request, response) => {
      const { method, url: path } = request;
      const headers = { ...request.headers, 'x-forwarded-for': request.socket.remoteAddress };
      const onward = httpRequest({ host: '127.0.0.1', port: inside, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    },
  );
  await new Promise<void>((resolve) => proxy.listen(outside, '127.0.0.1', resolve));
  expect((proxy.address() as AddressInfo).port).toBe(outside);
  // Chromium offers no other way to trust a CA for one run.
  const spki = new X509Certificate(ca.pem).publicKey.export({ type: 'spki', format: 'der' });
  const trusted = createHash('sha256').update(spki).digest('base64');
  launched = await launchBrowser({ args: [`--ignore-certificate-errors-spki-list=${trusted}`] });
  page = await launched.browser.newPage();
  key = await addSecurityKey(page);
});
afterAll(async () => {
  await launched?.close();
  proxy?.closeAllConnections();
  proxy?.close();
  await server?.close();
});

function developer(trust = true): Machine {
  const the = machine();
  if (!trust) return the;
  const file = join(the.folder, 'ca.pem');
  writeFileSync(file, ca.pem);
  the.env.NODE_EXTRA_CA_CERTS = file;
  return the;
}

/** Runs a `vouch` command to its end, and opens the page that it names. */
function vouch(
  the: Machine,
  args: string[],
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'cli/vouch/command-line.ts'), ...args], {
      env: the.env,
      stdio: 'pipe',
    });
    const said = { stdout: '', stderr: '' };
    let opened = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
      const url = /https:\/\/\S+\/[se]\/\S+(?=\n)/.exec(said.stdout)?.[0];
      if (url === undefined || opened) return;
      opened = true;
      page.goto(url).catch(reject);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
    child.stdin.end(input);
  });
}

describe.sequential('an https issuer behind a reverse proxy', () => {
  test('enrols a key with an invitation code typed into the page', async () => {
    await page.goto(`${issuer}/enroll`);
    await page.type('input', await inviteCode(server, 'alice@example.com'));
    await page.keyboard.press('Enter');
    await page.waitForSelector('[role=status][data-status="done"]');
    const [credential] = await key.credentials();
    expect(credential?.rpId).toBe('localhost');
    expect(await launched.browser.cookies()).toEqual([]);
  });

  test('signs in and out with the real command line', async () => {
    const the = developer();
    const signedIn = await vouch(the, ['login', '--no-browser', '--server', issuer]);
    expect(signedIn).toMatchObject({ code: 0, stdout: expect.stringContaining('Signed in as alice@example.com') });
    await page.waitForFunction(() => document.body.textContent?.includes('Go back to your terminal'));
    expect(page.url()).toBe(`${issuer}/signed-in`);
    expect(await page.$eval('dl', (facts) => facts.textContent)).toContain('alice@example.com');
    const out = await vouch(the, ['logout', '--json']);
    expect(JSON.parse(out.stdout)).toEqual({ signedOut: true, revoked: true });
  });

  test('is refused by a command line that does not trust its certificate authority', async () => {
    const refused = await vouch(developer(false), ['login', '--no-browser', '--server', issuer]);
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('signed by an authority that') });
  });
});
