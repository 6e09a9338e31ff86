import { readFileSync } from 'node:fs';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { KmsKey } from '../aws/kms/key.ts';
import { type LocalKms, startLocalKms } from '../aws/kms/start.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { nowhereElse } from './kms/use-local-kms.ts';
import { ServerProcess, vouchServer } from './program.ts';
import { localSettings, MASTER_KEY } from './settings.ts';
import { SoftKey } from './soft-key.ts';
import { Enrolment, expectOAuthError, expectProblem, jsonOf, SignIn, signIn } from './support.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';
const database = `${temporaryFolder()}/vouch.db`;

let kms: LocalKms;
let key: KmsKey;
let settings: Record<string, string>;
let origin: string;
let server: ServerProcess;
let person: SoftKey;
beforeAll(async () => {
  kms = await startLocalKms();
  key = kms.createKey();
  const local = await localSettings(database);
  origin = local.VOUCH_ISSUER;
  const wrapping = kms.createKey({ spec: 'SYMMETRIC_DEFAULT' });
  const context = { 'vouch:issuer': origin, 'vouch:purpose': 'master key' };
  const wrapped = wrapping.encrypt(Buffer.from(MASTER_KEY, 'base64'), context).toString('base64');
  settings = {
    ...local,
    ...kms.env,
    ...nowhereElse,
    VOUCH_MASTER_KEY: `awskms:${wrapping.arn}:${wrapped}`,
    VOUCH_SIGNING_KEY: `awskms:${key.arn}`,
    VOUCH_LOG_LEVEL: 'trace',
  };
  server = await ServerProcess.start(settings);
  const { stdout } = await vouchServer(['invite', 'alice@example.com', '--json'], settings);
  person = new SoftKey(origin);
  const enrolment = await Enrolment.open(origin, (JSON.parse(stdout) as { code: string }).code);
  await jsonOf(await enrolment.register(person));
});
afterAll(async () => {
  await server.end('SIGKILL');
  await kms.close();
});

const auditRows = async () => {
  const { code, stdout, stderr } = await vouchServer(['audit', 'export', '--since', '0'], settings);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
};
const count = (text: string, part: string) => text.split(part).length - 1;

test('every token and checkpoint is signed in KMS, and verifies with the server’s documents', async () => {
  const { client, access_token, id_token } = await signIn(origin, person);
  const asked = await client.api('POST', '/api/aws/token', access_token, { body: { role: ROLE } });
  const { token } = await jsonOf<{ token: string }>(asked);
  const { stdout: checkpoint } = await vouchServer(['audit', 'checkpoint'], settings);
  const keys = createRemoteJWKSet(new URL(`${origin}/jwks`));
  for (const signed of [access_token, id_token, token, checkpoint.trim()]) {
    await jwtVerify(signed, keys, { issuer: origin });
  }
  const kids = [access_token, id_token, token, checkpoint.trim()].map((signed) => decodeProtectedHeader(signed).kid);
  expect(new Set(kids).size).toBe(1);
  expect(kms.log.filter(({ operation, outcome }) => operation === 'Sign' && outcome === 'OK').length).toBe(4);
  expect((await auditRows()).includes(String(decodeJwt(token).jti))).toBe(true);
});

test('while the key is disabled the server says so, issues nothing, and goes on by itself afterwards', async () => {
  const { client, access_token } = await signIn(origin, person);
  const before = count(await auditRows(), '"aws-token-issued"');
  // A code works for a minute, and a command takes long on a busy machine.
  const page = await SignIn.open(origin);
  const code = await page.code(person);
  key.state = 'Disabled';
  onTestFinished(() => {
    key.state = 'Enabled';
  });
  const ask = () => client.api('POST', '/api/aws/token', access_token, { body: { role: ROLE } });
  // On a busy machine KMS's refusal may come too late, and the server then says that KMS does not answer.
  const refused = await vi.waitFor(
    async () => {
      const answer = await ask();
      expect(answer.headers.get('retry-after')).toBe('30');
      return answer;
    },
    { timeout: 30_000 },
  );
  expect(await refused.clone().text()).not.toContain('arn:');
  await expectProblem(refused, 503, 'unavailable');
  const login = await page.client.redeem(code);
  expect(login.headers.get('retry-after')).toMatch(/^(2|30)$/);
  await expectOAuthError(login, 503, 'temporarily_unavailable');
  expect(count(await auditRows(), '"aws-token-issued"')).toBe(before);
  const ready = await fetch(`${origin}/readyz`);
  expect([ready.status, await ready.json()]).toMatchObject([
    503,
    { parts: { database: 'ok', 'signing-key': 'failing' } },
  ]);
  for (const line of ['"part":"signing-key"', `${key.arn} is disabled. (DisabledException`]) {
    // A process's output may come after its answer.
    await vi.waitFor(() => expect(server.log).toContain(line), { timeout: 10_000 });
  }
  // What only needs to be verified still works.
  await jsonOf(await client.api('GET', '/api/session', access_token));
  key.state = 'Enabled';
  await vi.waitFor(async () => jsonOf(await ask()), { timeout: 30_000 });
  await signIn(origin, person);
});

test('the check before a move says whether the key that the settings name can sign', async () => {
  const next = kms.createKey();
  const check = async () => {
    const { stdout } = await vouchServer(['check'], { ...settings, VOUCH_SIGNING_KEY: `awskms:${next.arn}` });
    return stdout;
  };
  expect(await check()).toMatch(/✓ Signing keys/);
  next.state = 'Disabled';
  const said = await check();
  expect(said).toMatch(/✗ Signing keys/);
  expect(said).toContain(`${next.arn} is disabled.`);
  key.state = 'Disabled';
  onTestFinished(() => {
    key.state = 'Enabled';
  });
  expect(await check()).toContain(`${key.arn} is disabled.`);
  const { stderr } = await vouchServer(['audit', 'checkpoint'], settings);
  expect(stderr).toContain(`${key.arn} is disabled.`);
});

test('strangers who ask for readiness cost no requests to KMS', async () => {
  await fetch(`${origin}/readyz`);
  const before = kms.log.length;
  for (let asked = 0; asked < 50; asked += 1) await fetch(`${origin}/readyz`);
  expect(kms.log.length - before).toBeLessThanOrEqual(1);
});

test('the private half, and the credentials for it, are nowhere in the database or the log', async () => {
  await server.end('SIGKILL');
  const files = Buffer.concat([database, `${database}-wal`].map((file) => readFileSync(file)));
  // The search works.
  expect(files.includes(`awskms:${key.arn}`)).toBe(true);
  const d = key.privateScalar();
  expect(d).toMatch(/^[\w-]{43}$/);
  for (const secret of [
    MASTER_KEY,
    d,
    Buffer.from(d, 'base64url'),
    kms.env.AWS_SECRET_ACCESS_KEY ?? '',
    kms.env.AWS_SESSION_TOKEN ?? '',
  ]) {
    expect(files.includes(secret)).toBe(false);
    expect(Buffer.from(server.output).includes(secret)).toBe(false);
  }
});

test('a start with a key that cannot sign ends with the reason, and makes no key instead', async () => {
  const wrong = kms.createKey({ spec: 'RSA_2048' });
  const other = { VOUCH_MASTER_KEY: MASTER_KEY, VOUCH_SIGNING_KEY: `awskms:${wrong.arn}` };
  const fresh = { ...settings, ...(await localSettings()), ...other };
  const { code, stderr } = await vouchServer(['serve'], fresh);
  expect(code).toBe(1);
  expect(stderr).toContain(`The KMS key ${wrong.arn} (VOUCH_SIGNING_KEY) cannot sign tokens.`);
});
