import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { dropSession } from '../../../../cli/agent/client/requests.ts';
import { changeConfig } from '../../../../cli/config.ts';
import { onTerminal } from '../../../support/terminal.ts';
import { comeBack, type FakeIssuer, startFakeIssuer } from '../../login/fake-issuer.ts';
import { type Machine, machine, root } from '../../support.ts';

const program = join(root, 'cli/vouch/command-line.ts');
const advice =
  'This is your only key: if you lose it, only an administrator can let you back in.\nAdd a spare one: `vouch keys add`\n';

/** A machine, and a server that advises a spare key or does not. */
async function setUp(suggestSpare: boolean): Promise<{ the: Machine; issuer: FakeIssuer }> {
  const the = machine();
  const issuer = await startFakeIssuer();
  issuer.wrong = { session: { suggestSpare } };
  onTestFinished(async () => {
    await dropSession(the.env).catch(() => {});
    await issuer.close();
  });
  changeConfig(the.env, { server: issuer.url });
  return { the, issuer };
}

test.each([true, false])('on a terminal, passes on the server’s advice about a spare key: %j', async (suggestSpare) => {
  const { the, issuer } = await setUp(suggestSpare);
  const login = onTerminal(`exec '${process.execPath}' '${program}' login --no-browser`, the);
  await comeBack(issuer);
  expect(await login.ended).toBe(0);
  expect(login.said()).toMatch(/Signed in as alice@example\.com with "Work key" until [^\n]*\n/);
  expect(login.said().includes(advice)).toBe(suggestSpare);
  // There is no role yet.
  expect(login.said()).toMatch(/\nNext: `vouch setup`\n$/);
});

test.each([
  [[], /^To sign in, open[\s\S]*\nSigned in as alice@example\.com [^\n]*\nNext: `vouch setup`\n$/],
  [['--json'], /^\{[^\n]*\}\n$/],
])('without one, it does not: login %j', async (args, expected) => {
  const { the, issuer } = await setUp(true);
  const child = spawn(process.execPath, [program, 'login', '--no-browser', ...args], {
    env: the.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const ended = once(child, 'close');
  await comeBack(issuer);
  expect(await ended).toEqual([0, null]);
  const [stdout, stderr] = await said;
  expect(stdout).toMatch(expected);
  expect(stdout + stderr).not.toContain('only key');
  if (args.length === 0) return;
  expect(JSON.parse(stdout)).toEqual({
    server: issuer.url,
    email: 'alice@example.com',
    key: { name: 'Work key', model: null },
    expiresAt: '2030-01-01T00:00:00.000Z',
    suggestSpare: true,
  });
  expect(stderr).toContain('To sign in, open\n  http');
});
