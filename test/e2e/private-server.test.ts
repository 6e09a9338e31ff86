import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DatabaseKeyRing, systemClocks } from '../../server/signing/key-ring.ts';
import { promote, publishNext } from '../../server/signing/rotation/transitions.ts';
import { openFile } from '../../server/store/sqlite/open-store.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { StaticHost, trustedCa } from '../server/public-documents/static-host.ts';
import { codeBlocks, readDocument } from '../support/document.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** AWS reads two documents from a static host, and cannot reach the server. */
const folder = temporaryFolder();
const published = join(folder, 'public');
let host: StaticHost;
let forget: () => void;
let sandbox: Sandbox;
let awsIssuer: string;

/** For the test itself, which is inside. */
const { fetch } = globalThis;

beforeAll(async () => {
  const trusted = await trustedCa();
  forget = trusted.forget;
  mkdirSync(published);
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, trusted.ca.pem);
  host = await StaticHost.start(published, trusted.ca);
  awsIssuer = `${host.url}/team/vouch`;
  sandbox = await startSandbox({
    files: { README: 'hello\n' },
    settings: { VOUCH_AWS_ISSUER: awsIssuer, NODE_EXTRA_CA_CERTS: caFile },
  });
  // The local AWS runs in this process. For it, nobody listens at the server's address.
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    if (new URL(String(input)).origin !== sandbox.issuer) return fetch(input, init);
    return Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }));
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await sandbox?.close();
  await host?.close();
  forget?.();
});

const publish = () => sandbox.succeed('vouch-server', ['publish', join(published, 'team/vouch')]);

/** What STS said since the log had this many entries. */
const stsSince = (before: number) => sandbox.aws.log.slice(before).filter(({ service }) => service === 'sts');

/** Which findings the doctor has, by check. */
async function doctor(): Promise<Record<string, { status: string; findings: string[] }>> {
  const { stdout } = await sandbox.run('vouch', ['doctor', '--json', sandbox.repositoryUrl]);
  const { checks } = JSON.parse(stdout) as { checks: { id: string; status: string; findings: { id: string }[] }[] };
  return Object.fromEntries(
    checks.map(({ id, status, findings }) => [id, { status, findings: findings.map((one) => one.id) }]),
  );
}

/** A session without AWS credentials. */
async function signInAgain(): Promise<void> {
  await sandbox.succeed('vouch', ['logout']);
  await sandbox.succeed('vouch', ['login']);
}

/** Lets another key sign, as the schedule does when its time has come and it trusts that the key is published. */
async function rotate(): Promise<string> {
  await sandbox.server.stop();
  const file = join(sandbox.folder, 'server/vouch.db');
  const master = Buffer.from(readFileSync(`${file}.key`, 'utf8'), 'base64');
  const store = await openFile(file);
  try {
    const now = Date.now();
    const keys = await DatabaseKeyRing.open(store, master, systemClocks);
    const [current] = keys.keys;
    if (current === undefined) throw new Error('the server has no key');
    const next = await keys.makeKey();
    const sealed = await keys.withoutPrivateHalf(current);
    const by = { actor: 'server' };
    await store.transaction().execute(async (transaction) => {
      await publishNext(transaction, { current, next, signsFrom: now }, now, by);
      await promote(transaction, { current, sealed, next }, now, by);
    });
    return next.kid;
  } finally {
    await store.destroy();
    await sandbox.server.start();
  }
}

describe.sequential('a server that AWS cannot reach', () => {
  test('without its documents people sign in, the check says what is missing, and readyz is degraded', async () => {
    await sandbox.succeed('vouch', ['login']);
    const checked = await sandbox.run('vouch-server', ['publish', '--check']);
    expect(checked).toMatchObject({ code: 1, stderr: expect.stringContaining(`AWS cannot use ${awsIssuer}`) });
    const ready = await vi.waitFor(async () => {
      const answer = await fetch(`${sandbox.issuer}/readyz`);
      expect(answer.status).toBe(200);
      const report = (await answer.json()) as { status: string; parts: Record<string, string> };
      expect(report).toMatchObject({ status: 'degraded', parts: { 'public-documents': 'degraded' } });
      return report;
    }, 30_000);
    expect(ready.parts).toMatchObject({ database: 'ok', 'signing-key': 'ok' });
  });

  test('with them a clone and a push work, and AWS has read nothing but the two documents', async () => {
    await publish();
    expect(await sandbox.succeed('vouch-server', ['publish', '--check'])).toMatchObject({ stderr: '' });
    host.asked.splice(0);
    const before = sandbox.aws.log.length;
    await sandbox.succeed('git', ['clone', '--quiet', sandbox.repositoryUrl, 'demo']);
    const cwd = join(sandbox.home, 'demo');
    await sandbox.succeed('git', ['commit', '--quiet', '--allow-empty', '-m', 'from inside'], { cwd });
    await sandbox.succeed('git', ['push', '--quiet'], { cwd });
    expect(stsSince(before)).toMatchObject([
      { action: 'AssumeRoleWithWebIdentity', outcome: 'OK', subject: 'alice@example.com' },
    ]);
    expect(new Set(host.asked)).toEqual(
      new Set(['/team/vouch/.well-known/openid-configuration', '/team/vouch/.well-known/jwks.json']),
    );
    expect((await doctor())['aws-documents']).toEqual({ status: 'ok', findings: [] });
  });

  test('a key that signs without being published is refused by AWS, and the doctor and the check name it', async () => {
    const kid = await rotate();
    await signInAgain();
    expect(await doctor()).toMatchObject({
      'aws-documents': { status: 'failed', findings: ['aws-documents.key-missing'] },
      sts: { status: 'failed', findings: ['sts.issuer-unreachable'] },
    });
    const checked = await sandbox.run('vouch-server', ['publish', '--check', '--json']);
    expect([checked.code, JSON.parse(checked.stdout).troubles]).toMatchObject([
      1,
      [{ kind: 'key-missing', kid, state: 'current' }],
    ]);
  });

  test('once it is published, everything works as before', async () => {
    await publish();
    // The same documents come out of what docs/aws.md says for GitHub pages.
    const [commands = ''] = codeBlocks(readDocument('aws.md'), 'sh').filter((block) => block.includes('.nojekyll'));
    const pages = join(sandbox.home, 'pages');
    await sandbox.succeed('git', ['init', '--quiet', pages]);
    await sandbox.succeed('sh', ['-ec', commands.replace('git push\n', '')], { cwd: pages });
    const tracked = await sandbox.succeed('git', ['ls-files'], { cwd: pages });
    expect(tracked.stdout).toBe('.nojekyll\n.well-known/jwks.json\n.well-known/openid-configuration\n');
    const key = '.well-known/jwks.json';
    expect(readFileSync(join(pages, key))).toEqual(readFileSync(join(published, 'team/vouch', key)));
    await signInAgain();
    const before = sandbox.aws.log.length;
    await sandbox.succeed('git', ['fetch', '--quiet'], { cwd: join(sandbox.home, 'demo') });
    expect(stsSince(before)).toMatchObject([{ outcome: 'OK' }]);
    expect(await doctor()).toMatchObject({
      'aws-documents': { status: 'ok' },
      sts: { status: 'ok' },
      push: { status: 'ok' },
    });
  });
});
