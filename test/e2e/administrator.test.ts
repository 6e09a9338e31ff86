import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { whoRuns } from '../../server/process/system-user.ts';
import { type Credentials, git, gitCredentials } from '../aws/fixtures.ts';
import type { Machine } from '../sandbox/machine.ts';
import { REGION, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { policiesPut } from '../server/aws/revoke/readers.ts';
import { recordingAws } from '../server/aws/template/readers.ts';
import { codeBlocks, readDocument } from '../support/document.ts';
import { succeed } from '../support/run.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { Walk } from './walk.ts';

const [OWNER, ALICE, BOB] = ['owner@example.com', 'alice@example.com', 'bob@example.com'];
const docs = readDocument('administration.md');
const root = temporaryFolder();

const administrator = whoRuns().actor;
/** The document's block with these words. */
const shown = (language: string, words: string) =>
  codeBlocks(docs, language).find((block) => block.includes(words)) ?? '';

let sandbox: Sandbox;
let walk: Walk;
let alice: Machine;
let bob: Machine;
/** What root's AWS CLI was told. */
let callsOfAws: () => string[][];

beforeAll(async () => {
  for (const folder of ['etc/vouch', 'elsewhere', 'bin', 'var/log']) mkdirSync(join(root, folder), { recursive: true });
  // test/server/administration.test.ts runs the commands for the service's user and its files.
  await succeed('sh', ['-c', 'openssl rand -base64 32 > master-key && chmod 600 master-key'], {
    env: { PATH: process.env.PATH ?? '' },
    cwd: join(root, 'etc/vouch'),
  });
  sandbox = await startSandbox({
    fresh: true,
    settings: { VOUCH_OWNER_EMAIL: OWNER, VOUCH_MASTER_KEY_FILE: join(root, 'etc/vouch/master-key') },
  });
  const nextYear = new Date().getFullYear() + 1;
  const here = [
    ['https://vouch.example.com', sandbox.issuer],
    ['/var/lib/vouch/', `${sandbox.folder}/server/`],
    ['/etc/vouch/', `${root}/etc/vouch/`],
    ['/mnt/elsewhere/', `${root}/elsewhere/`],
    ['2026-12-31', `${nextYear}-12-31`],
  ] as const;
  const settings = here.reduce((text, [from, to]) => text.replaceAll(from, to), shown('sh', 'VOUCH_ISSUER='));
  writeFileSync(join(root, 'etc/vouch/vouch.env'), settings);
  const aws = recordingAws(join(root, 'bin'));
  callsOfAws = aws.calls;
  // The administrator's shell has the settings only from the file.
  const { VOUCH_ISSUER, VOUCH_DATABASE_URL, VOUCH_OWNER_EMAIL, VOUCH_MASTER_KEY_FILE, ...env } = sandbox.env;
  const PATH = `${join(root, 'bin')}:${env.PATH}`;
  walk = new Walk(docs, { env: { ...env, ...aws.env, PATH }, cwd: sandbox.home, here });
  [alice, bob] = await Promise.all([sandbox.addPerson(ALICE), sandbox.addPerson(BOB)]);
});
afterAll(() => sandbox?.close());

/** For a condition that comes at once, but not on a busy machine. */
const patience = { timeout: 30_000 };

const status = (page: Page, id: string) => page.waitForSelector(`[role=status][data-status="${id}"]`);
const browserOf = ({ browser }: Machine) => {
  if (browser === undefined) throw new Error('no browser');
  return browser;
};
const codes = (text: string) => text.match(/[0-9A-Z]{6}(-[0-9A-Z]{6}){3}-[0-9A-Z]{2}/g) ?? [];
const work = ({ home }: Machine) => ({ cwd: join(home, 'demo') });
const fetchIn = (person: Machine) => person.run('git', ['fetch'], work(person));

/** What a command of vouch-server prints as JSON. */
async function json<Shape>(...args: string[]): Promise<Shape> {
  return JSON.parse((await sandbox.succeed('vouch-server', [...args, '--json'])).stdout) as Shape;
}

/** Fetches until it fails, as the person would who is at work: for less than a second the agent does not know yet. */
async function nextRefusal(person: Machine) {
  return vi.waitUntil(
    async () => {
      const fetched = await fetchIn(person);
      return fetched.code === 0 ? undefined : fetched;
    },
    { ...patience, interval: 1 },
  );
}

/** Why the agent has no session any more. */
async function endOf(person: Machine): Promise<string | undefined> {
  const { stdout } = await person.run('vouch', ['status', '--json']);
  return (JSON.parse(stdout) as { ended?: { reason?: string } }).ended?.reason;
}

/** The account page refuses the key that is plugged in. */
async function isUnknown(person: Machine): Promise<void> {
  const page = await browserOf(person).open(`${sandbox.issuer}/account`);
  await status(page, 'ready');
  await page.locator('[data-primary]').click();
  await status(page, 'unknown-key');
}

async function enroll(person: Machine, code: string, name = 'Work key'): Promise<void> {
  const args = ['enroll', '--server', sandbox.issuer, '--name', name, '--json'];
  const { stdout } = await person.succeed('vouch', args, { input: person.typed(code) });
  expect(JSON.parse(stdout)).toMatchObject({
    server: sandbox.issuer,
    key: { name },
    email: expect.stringContaining('@'),
  });
}

/** These tests are one story, in this order: a walk through docs/administration.md. */
describe.sequential('an administrator', () => {
  test('a new server prints a link for its owner, who enrols a key in the browser', async () => {
    const early = await sandbox.run('vouch-server', ['invite', ALICE]);
    expect([early.code, early.stdout]).toEqual([1, '']);
    const printed = await vi.waitUntil(
      () => /^vouch-server: Nobody[\s\S]*? new one\.\n/m.exec(readFileSync(sandbox.serverLog, 'utf8'))?.[0],
      patience,
    );
    walk.compare(shown('', 'Nobody owns this server'), printed);
    const [link = ''] = /http:\S+/.exec(printed) ?? [];
    const page = await browserOf(sandbox).open(link);
    await status(page, 'done');
    expect(await json('people', 'list')).toMatchObject({ people: [{ email: OWNER, role: 'owner', keyCount: 1 }] });
  });

  test('two people join with one command, a list of more with another, and work', async () => {
    await walk.run('set -a; . /etc/vouch/vouch.env; set +a');
    const [forAlice = '', forBob = ''] = codes(await walk.run('vouch-server invite alice@example.com bob@example.com'));
    await Promise.all(
      [[alice, forAlice] as const, [bob, forBob] as const].map(async ([person, code]) => {
        await enroll(person, code);
        await person.succeed('vouch', ['setup', 'aws', '--role', sandbox.roleArn, '--region', REGION]);
        await person.succeed('vouch', ['setup', 'codecommit']);
        await person.succeed('vouch', ['login']);
      }),
    );
    for (const person of [alice, bob]) {
      await person.succeed('git', ['clone', sandbox.repositoryUrl]);
      await person.succeed('git', ['commit', '--allow-empty', '-m', 'Work'], work(person));
      await person.succeed('git', ['push'], work(person));
    }
    writeFileSync(join(sandbox.home, 'people.csv'), walk.shown);
    await walk.run('cat people.csv');
    const [, forCarol = ''] = codes(await walk.run('vouch-server invite --csv people.csv --format csv'));
    // Carol has no terminal: she enters her code on the page.
    await browserOf(sandbox).changeKey();
    const page = await browserOf(sandbox).open(`${sandbox.issuer}/enroll`);
    await page.locator('#invitation').fill(forCarol);
    await page.keyboard.press('Enter');
    await status(page, 'done');
  });

  test('who is here, who owns the server, and who stays until when', async () => {
    await walk.run('vouch-server people list');
    await walk.run('vouch-server people show bob@example.com');
    await walk.run('vouch-server people demote owner@example.com', { code: 1 });
    await walk.run('vouch-server people promote alice@example.com');
    await walk.run('vouch-server people demote alice@example.com');
    await walk.run('vouch-server people end-date carol@example.com none');
    await walk.run('vouch-server people end-date carol@example.com 2026-12-31');
  });

  test('Alice adds a second key on her page; when the first is lost, it is taken away, and the second lets her in', async () => {
    const browser = browserOf(alice);
    // Her browser opens her account page, and asks for both keys.
    await alice.succeed('vouch', ['keys', 'add']);
    const [lost, spare] = [await browser.credentials(), await browser.drawer()];

    await walk.run('vouch-server keys list alice@example.com');
    await walk.run('vouch-server keys remove alice@example.com "Work key"');
    expect((await nextRefusal(alice)).stderr).toMatch(/^vouch: The security key that you signed in with was removed/);
    expect(await endOf(alice)).toBe('key-removed');
    await browser.changeKey(lost);
    await isUnknown(alice);
    await browser.changeKey(spare);
    await alice.succeed('vouch', ['login']);
    expect(await fetchIn(alice)).toMatchObject({ code: 0 });
  });

  test('Bob, whose only key is gone, is recovered: the new key replaces it, and his old session is over', async () => {
    const browser = browserOf(bob);
    const lost = await browser.credentials();
    expect(await fetchIn(bob)).toMatchObject({ code: 0 });
    await browser.changeKey();
    const [code = ''] = codes(await walk.run('vouch-server invite bob@example.com --replace-keys'));
    const enrolling = enroll(bob, code, 'New key');
    const page = await vi.waitUntil(() => {
      const opened = browser.page();
      return opened?.url().includes('/enroll/') ? opened : undefined;
    }, patience);
    await status(page, 'ready');
    expect(await page.evaluate(() => document.body.innerText)).toContain('The new key replaces “Work key”');
    await page.locator('[data-primary]').click();
    await enrolling;
    expect((await nextRefusal(bob)).stderr).toMatch(/^vouch: A new security key has replaced those of your account/);
    expect(await endOf(bob)).toBe('keys-replaced');
    const { keys } = await json<{ keys: { name: string }[] }>('people', 'show', BOB);
    expect(keys.map(({ name }) => name)).toEqual(['New key']);
    const fresh = await browser.credentials();
    await browser.changeKey(lost);
    await isUnknown(bob);
    await browser.changeKey(fresh);
    await bob.succeed('vouch', ['login']);
    expect(await fetchIn(bob)).toMatchObject({ code: 0 });
  });

  let copied: Credentials;
  /** Whether CodeCommit still takes what somebody has copied from Bob's machine. */
  const copiedWork = async () => {
    const credentials = gitCredentials(copied);
    return (await git(sandbox.aws, sandbox.home, ['ls-remote', sandbox.repositoryUrl], { credentials })).code === 0;
  };

  test('Bob is disabled in the middle of his session, and his next fetch fails with the reason', async () => {
    const { stdout } = await bob.succeed('vouch', ['credential', 'aws', '--role', sandbox.roleArn]);
    const { AccessKeyId, SecretAccessKey, SessionToken } = JSON.parse(stdout);
    copied = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    expect(await copiedWork()).toBe(true);

    await walk.run('vouch-server people disable bob@example.com --reason "left the company"');
    const refused = await nextRefusal(bob);
    const host = new URL(sandbox.issuer).host;
    expect(refused.stderr).toMatch(
      new RegExp(`^vouch: Your administrator has disabled your account at ${host}\\.\n[\\s\\S]*fatal: `),
    );
    expect(await endOf(bob)).toBe('person-disabled');
    // As the output says: AWS knows nothing of this.
    expect(await copiedWork()).toBe(true);
  });

  test('the deny for AWS ends what he had copied, and nothing of Alice’s', async () => {
    await walk.run('vouch-server aws-revoke bob@example.com > revoke.sh');
    await walk.run('sh revoke.sh');
    for (const { role, name, document } of policiesPut(callsOfAws())) {
      sandbox.aws.account().putRolePolicy(role, name, JSON.parse(document));
    }
    expect(await copiedWork()).toBe(false);
    expect(sandbox.aws.log.at(-1)).toMatchObject({ outcome: 'AccessDeniedException', sourceIdentity: BOB });
    expect(await fetchIn(alice)).toMatchObject({ code: 0 });
  });

  test('he is let in again, then removed for good; a lost machine’s session ends', async () => {
    await walk.run('vouch-server people enable bob@example.com');
    await walk.run('vouch-server people remove bob@example.com --yes');
    const listed = await walk.run('vouch-server sessions list');
    const [, id = ''] = /^([0-9a-f]{8}) /m.exec(listed) ?? [];
    await walk.run('vouch-server sessions end e8963d22', { instead: { e8963d22: id } });
    expect((await nextRefusal(alice)).stderr).toMatch(/^vouch: Your administrator has ended this session\./);
    expect(await endOf(alice)).toBe('ended-by-administrator');
  });

  test('the audit trail tells all of it: who did what to whom', async () => {
    await walk.run('vouch-server audit list --actor cli:root --limit 6', { instead: { 'cli:root': administrator } });
    await walk.run('vouch-server audit export --since 0');
    const rows = await exported('jsonl');
    expect(rows.map(({ id }) => id)).toEqual(rows.map((_, index) => index + 1));
    // Refusals are written when their hour is over.
    const story = rows.filter(({ result }) => result === 'done').map(inShort);
    const did = (actor: string, ...events: string[]) => events.map((event) => `${actor}: ${event}`);
    const told = (whom: string) =>
      story.filter((line) => line.endsWith(` ${whom}`)).map((line) => line.slice(0, -1 - whom.length));
    expect(told(ALICE)).toEqual([
      ...did(administrator, 'invited'),
      ...did(ALICE, 'enrolled', 'signed-in', 'aws-token-issued'),
      ...did(administrator, 'person-promoted', 'person-demoted'),
      ...did(ALICE, 'web-session-began', 'enrolled'),
      ...did(administrator, 'key-removed', 'session-ended (key-removed)', 'web-session-ended (key-removed)'),
      ...did(ALICE, 'signed-in', 'aws-token-issued'),
      ...did(administrator, 'session-ended (ended-by-administrator)'),
    ]);
    expect(told(BOB)).toEqual([
      ...did(administrator, 'invited'),
      ...did(BOB, 'enrolled', 'signed-in', 'aws-token-issued'),
      ...did(administrator, 'invited'),
      ...did(BOB, 'key-removed (keys-replaced)', 'session-ended (keys-replaced)', 'enrolled'),
      ...did(BOB, 'signed-in', 'aws-token-issued'),
      ...did(administrator, 'person-disabled', 'session-ended (person-disabled)', 'aws-deny-printed'),
      ...did(administrator, 'person-enabled', 'person-removed'),
    ]);
    expect(told(OWNER)).toEqual(['server: invited', `${OWNER}: enrolled`, 'server: person-promoted']);
    const ocsf = await exported('ocsf');
    expect(ocsf.map(({ metadata }) => metadata?.sequence)).toEqual(rows.map(({ id }) => id));
    expect(ocsf.find(({ metadata }) => metadata?.event_code === 'person-disabled')).toMatchObject({
      class_name: 'Account Change',
      activity_name: 'Disable',
      actor: { user: { uid: administrator } },
      user: { email_addr: BOB },
    });
  });

  test('the script for another system goes on where it stopped, even in the middle of a line', async () => {
    const script = shown('sh', 'vouch-audit.jsonl').replaceAll(/\/(?=etc\/|var\/)/g, `${root}/`);
    const file = join(root, 'var/log/vouch-audit.jsonl');
    const pull = () => sandbox.succeed('sh', ['-ec', script]);
    await pull();
    const all = readFileSync(file, 'utf8');
    writeFileSync(file, all.slice(0, -100));
    await pull();
    expect(readFileSync(file, 'utf8')).toBe(all);
    expect(all.split('\n')).toHaveLength((await exported('jsonl')).length + 1);
  });

  test('nobody has changed the trail, and a checkpoint proves it later', async () => {
    await walk.run('vouch-server audit verify');
    await walk.run('vouch-server audit checkpoint > /mnt/elsewhere/vouch-2026-11-23.checkpoint');
    await walk.run('vouch-server audit verify --checkpoint /mnt/elsewhere/vouch-2026-11-23.checkpoint');
  });

  test('a signing key is replaced, which nobody notices, and one is revoked, which ends what it signed', async () => {
    await alice.succeed('vouch', ['login']);
    await walk.run('vouch-server signing-keys list');
    const { keys } = await json<{ keys: { kid: string }[] }>('signing-keys', 'list');
    await walk.run('vouch-server signing-keys rotate');
    expect((await fetchIn(alice)).code).toBe(0);
    await walk.run('vouch-server signing-keys revoke Kq3vXw8mTz --yes', {
      instead: { Kq3vXw8mTz: keys[0]?.kid.slice(0, 10) ?? '' },
    });
    await expect.poll(() => endOf(alice), patience).toBe('ended-by-administrator');
    const { keys: after } = await json<{ keys: { kid: string }[] }>('signing-keys', 'list');
    const published = async () => {
      const answer = (await (await fetch(`${sandbox.issuer}/jwks`)).json()) as { keys: { kid: string }[] };
      return answer.keys.map(({ kid }) => kid);
    };
    await expect.poll(published, patience).toEqual([after[0]?.kid]);
  });

  test('a rule on keys is tried out before it is made; and no command of the document was left out', async () => {
    await walk.run('VOUCH_ALLOWED_AAGUIDS=fips-only vouch-server keys policy test', { code: 1 });
    await walk.run('vouch-server check');
    expect(walk.left).toEqual([]);
  });
});

interface Exported {
  id?: number;
  event?: string;
  actor?: string;
  subject?: string;
  result?: string;
  reason?: string | null;
  metadata?: { sequence?: number; event_code?: string };
}

const inShort = ({ event, actor, subject, reason }: Exported) =>
  `${actor}: ${event}${reason == null ? '' : ` (${reason})`} ${subject}`;

/** The whole audit trail. */
async function exported(format: 'jsonl' | 'ocsf'): Promise<Exported[]> {
  const { stdout } = await sandbox.succeed('vouch-server', ['audit', 'export', '--since', '0', '--format', format]);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
