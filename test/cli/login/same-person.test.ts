import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { agentStatus, dropSession } from '../../../cli/agent/client/requests.ts';
import { changeConfig, readConfig } from '../../../cli/config.ts';
import { onTerminal, type Terminal } from '../../support/terminal.ts';
import { type Machine, machine, root } from '../support.ts';
import { type FakeIssuer, startFakeIssuer } from './fake-issuer.ts';

const program = join(root, 'cli/vouch/command-line.ts');
const bob = 'bob@example.com';
const alice = 'alice@example.com';

/** A machine where a person signed in before, and a server where Alice touches her key. */
async function setUp(last?: string): Promise<{ the: Machine; issuer: FakeIssuer }> {
  const the = machine();
  const issuer = await startFakeIssuer();
  onTestFinished(async () => {
    await dropSession(the.env).catch(() => {});
    await issuer.close();
  });
  const elsewhere = { 'https://other.example.com': bob };
  changeConfig(the.env, { server: issuer.url, people: last ? { ...elsewhere, [issuer.url]: last } : elsewhere });
  return { the, issuer };
}

async function comeBack(issuer: FakeIssuer): Promise<void> {
  const request = issuer.pushed.at(-1);
  const query = new URLSearchParams({ code: 'c', state: request?.get('state') ?? '', iss: issuer.url });
  await fetch(`${request?.get('redirect_uri')}?${query}`, { redirect: 'manual' });
}

function onTheTerminal(the: Machine): Terminal {
  return onTerminal(`exec '${process.execPath}' '${program}' login --no-browser`, the);
}

/** `vouch login` when nobody can be asked. */
async function unattended(the: Machine, issuer: FakeIssuer) {
  const child = spawn(process.execPath, [program, 'login', '--no-browser'], { env: the.env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  child.stdin.end('y\n');
  const ended = once(child, 'close');
  await expect.poll(() => said, { timeout: 30_000 }).toContain('Touch your security key');
  await comeBack(issuer);
  const [code] = await ended;
  return { code: code as number, said };
}

const sessionOf = async (the: Machine) => (await agentStatus(the.env).catch(() => undefined))?.session?.email;
const revoked = (issuer: FakeIssuer) => issuer.asked.filter((what) => what === 'POST /token/revocation').length;

test('the first person at a server is remembered, and signs in again without a question', async () => {
  const { the, issuer } = await setUp();
  for (let time = 0; time < 2; time += 1) {
    expect(await unattended(the, issuer)).toMatchObject({ code: 0, said: expect.stringContaining(`as ${alice}`) });
    expect(readConfig(the.env).people).toEqual({ 'https://other.example.com': bob, [issuer.url]: alice });
  }
  expect(await sessionOf(the)).toBe(alice);
});

test('a session of somebody else is not kept if nobody can be asked, and is revoked at its server', async () => {
  const { the, issuer } = await setUp(bob);
  const { code, said } = await unattended(the, issuer);
  expect(code).toBe(5);
  expect(said).toContain(`${alice} signed in here, and last time it was ${bob}: the session was not kept.`);
  expect(said).not.toContain('Signed in as');
  expect(revoked(issuer)).toBe(1);
  expect(await sessionOf(the)).toBeUndefined();
  expect(readConfig(the.env).people?.[issuer.url]).toBe(bob);
});

test('the person at the terminal is asked, and answers that it is them', async () => {
  const { the, issuer } = await setUp(bob);
  const terminal = onTheTerminal(the);
  await terminal.until(/Touch your security key/);
  await comeBack(issuer);
  await terminal.until(
    /You are signed in as alice@example\.com; last time it was bob@example\.com\. Is alice@example\.com you\? \[y\/N\] /,
  );
  expect(await sessionOf(the)).toBeUndefined();
  terminal.type('y\r');
  expect(await terminal.ended).toBe(0);
  expect(terminal.said()).toContain(`Signed in as ${alice}`);
  expect(await sessionOf(the)).toBe(alice);
  expect(readConfig(the.env).people?.[issuer.url]).toBe(alice);
  expect(revoked(issuer)).toBe(0);
});

test.each(['n\r', '\r', '\x04'])('the person at the terminal is asked, and with %j nothing is kept', async (keys) => {
  const { the, issuer } = await setUp(bob);
  const terminal = onTheTerminal(the);
  await terminal.until(/Touch your security key/);
  await comeBack(issuer);
  await terminal.until(/\[y\/N\] /);
  terminal.type(keys);
  expect(await terminal.ended).toBe(5);
  expect(terminal.said()).toContain('the session was not kept');
  expect(await sessionOf(the)).toBeUndefined();
  expect(revoked(issuer)).toBe(1);
});
