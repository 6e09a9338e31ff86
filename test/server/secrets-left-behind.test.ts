import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AccountPage } from './account/account-page.ts';
import { Browser } from './browser.ts';
import { privateJwk } from './private-key.ts';
import { ServerProcess, vouchServer } from './program.ts';
import { localSettings } from './settings.ts';
import { SoftKey } from './soft-key.ts';
import { callbackOf, Enrolment, jsonOf, SignIn, startServer, type Tokens } from './support.ts';

/** Every secret of a first day, by name. */
const secrets = new Map<string, string>();
const keep = (name: string, value: string) => {
  expect(value.length, name).toBeGreaterThan(15);
  secrets.set(name, value);
  return value;
};

const folder = temporaryFolder();
const database = join(folder, 'vouch.db');
let log: string;

beforeAll(async () => {
  const settings = { ...(await localSettings(database)), VOUCH_LOG_LEVEL: 'trace' };
  const server = await ServerProcess.start(settings);
  try {
    keep('the master key', readFileSync(`${database}.key`, 'utf8').trim());
    await firstDay(settings.VOUCH_ISSUER, settings);
  } finally {
    // Killed, so that the write-ahead log remains and can be searched.
    await server.end('SIGKILL');
    log = server.output;
  }
});

/** Enrols, signs in and gets a token, and is refused in every way that involves a secret. */
async function firstDay(origin: string, settings: Record<string, string>): Promise<void> {
  const invited = await vouchServer(['invite', 'alice@example.com', '--json'], settings);
  const invitation = keep('the invitation code', (JSON.parse(invited.stdout) as { code: string }).code);
  keep('the invitation code, without hyphens', invitation.replaceAll('-', ''));

  const key = new SoftKey(origin);
  const enrolment = await Enrolment.open(origin, invitation);
  keep('the ticket', enrolment.ticket);
  keep('the poll secret', enrolment.poll);
  await enrolment.browser.get(`/enroll/${enrolment.ticket}?code=${invitation}`);
  await enrolment.browser.post('/enroll/status', { poll: enrolment.poll });
  await new Browser(origin).post(`/enroll/${enrolment.ticket}/open`);
  keep('the page’s secret', enrolment.page ?? '');
  const creation = await enrolment.options();
  keep('the challenge of the enrolment', creation.challenge);
  await enrolment.post('verify', key.create(creation, { origin: 'https://evil.example' }));
  const again = await enrolment.options();
  const registration = key.create(again);
  keep('the second challenge of the enrolment', again.challenge);
  await jsonOf(await enrolment.post('verify', registration));
  await new Browser(origin).post('/enroll/start', { invitation });

  const page = await SignIn.open(origin);
  const other = await SignIn.open(origin);
  const foreign = await other.options();
  keep('a challenge that is refused here, and good elsewhere', foreign.challenge);
  await page.post('verify', key.get(foreign));
  await page.touch(key, { badSignature: true });
  const options = await page.options();
  keep('the challenge of the sign-in', options.challenge);
  const assertion = key.get(options);
  keep('the assertion', assertion.response.signature);
  const callback = await callbackOf(await page.post('verify', assertion));
  const code = keep('the code', callback.searchParams.get('code') ?? '');
  await page.client.redeem(code, { code_verifier: 'x'.repeat(43) });
  keep('the PKCE verifier', page.client.verifier);
  const tokens = await jsonOf<Tokens>(await page.client.redeem(code));
  const token = keep('the access token', tokens.access_token);
  keep('the access token’s signature', token.split('.')[2] ?? '');
  keep('the ID token', tokens.id_token);

  const proof = await page.client.proof('GET', '/api/session', { token });
  keep('the DPoP proof', proof);
  await jsonOf(await page.client.api('GET', '/api/session', token, { proof }));
  await page.client.api('GET', '/api/session', token, { proof });
  await page.client.api('GET', `/api/session?access_token=${token}`, `${token}x`);
  const role = 'arn:aws:iam::123456789012:role/VouchDeveloper';
  const issued = await jsonOf<{ token: string }>(
    await page.client.api('POST', '/api/aws/token', token, { body: { role } }),
  );
  keep('the ID token for AWS', issued.token);
  keep('the signature of the ID token for AWS', issued.token.split('.')[2] ?? '');
  await page.client.api('POST', '/api/aws/token', token, { body: { role: token } });
  await page.client.redeem(code);
  await page.client.api('GET', '/api/session', token);

  const account = await AccountPage.signIn(origin, key);
  keep('the web session’s cookie', account.browser.cookies[0]?.value ?? '');
  keep('the page’s secret of the web session', account.page ?? '');
  await account.get(`history?before=${account.page}`);
  await jsonOf(await account.touch(key));
  keep('the renewed cookie', account.browser.cookies[0]?.value ?? '');
  keep('the renewed secret of the page', account.page ?? '');
  await account.addKey(new SoftKey(origin), 'again', { origin: 'https://evil.example' });
  await account.send('POST', 'not-me');
  await account.get('me');
}

test('the log of a first day holds no secret', () => {
  for (const event of ['request refused', 'OAuth request refused', '"path":"/enroll"', '"path":"/api"', 'listening']) {
    expect(log).toContain(event);
  }
  expect([...secrets].filter(([, secret]) => log.includes(secret)).map(([name]) => name)).toEqual([]);
});

test('the database of a first day and its write-ahead log hold no secret', () => {
  const files = [database, `${database}-wal`].map((file) => readFileSync(file));
  const both = Buffer.concat(files);
  // The search works: it finds what is there.
  expect(both.includes('alice@example.com')).toBe(true);
  expect(both.includes('aws-token-issued')).toBe(true);
  expect([...secrets].filter(([, secret]) => both.includes(secret)).map(([name]) => name)).toEqual([]);
});

test('the database holds the signing key only in encrypted form', async () => {
  const server = await startServer();
  try {
    const { d } = await privateJwk(server.context.store, server.masterKey);
    expect(d).toMatch(/^[\w-]{43}$/);
    const files = [server.databaseFile, `${server.databaseFile}-wal`].map((file) => readFileSync(file));
    const both = Buffer.concat(files);
    expect(both.includes(server.context.keys.current().kid)).toBe(true);
    expect(both.includes(String(d))).toBe(false);
    expect(both.includes(Buffer.from(String(d), 'base64url'))).toBe(false);
    const row = await server.context.store.selectFrom('signing_keys').select('jwe').executeTakeFirstOrThrow();
    const [header = ''] = row.jwe.split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ alg: 'dir', enc: 'A256GCM' });
  } finally {
    await server.close();
  }
});
