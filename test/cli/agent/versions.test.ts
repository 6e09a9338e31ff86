import { expect, onTestFinished, test } from 'vitest';
import { handOverSession } from '../../../cli/agent/client/hand-over.ts';
import {
  agentLogs,
  agentStatus,
  awsCredentials,
  dropSession,
  gitCredentials,
  putSession,
} from '../../../cli/agent/client/requests.ts';
import { withContext } from '../../../cli/agent/protocol/git-request.ts';
import { version } from '../../../cli/programs.ts';
import { gitRequest, json, newSession, role } from '../support.ts';
import { agent, gone, signedIn, viaGit } from './support.ts';

const request = Buffer.from(withContext(Buffer.from(gitRequest), {}, {}));

test('an agent of another version with the same protocol keeps serving', async () => {
  const the = await signedIn({ version: '0.0.9' });
  expect(await viaGit(the, request)).toContain('password=');
  expect(await gitCredentials(request, the.env)).toContain('password=');
  expect(await agentStatus(the.env)).toMatchObject({ version: '0.0.9', session: { email: 'alice@example.com' } });
});

test('an agent with another protocol does nothing that it could misunderstand, and its answer has what to do', async () => {
  const the = await agent({ version: '9.9.9', protocol: '2' });
  expect(await viaGit(the, request)).toBe('');
  for (const asked of [
    awsCredentials(role, undefined, the.env),
    gitCredentials(request, the.env),
    putSession(newSession(the.world.url), the.env),
    agentLogs(0, the.env),
  ]) {
    await expect(asked).rejects.toMatchObject({
      kind: 'other-version',
      what: 'The running agent is version 9.9.9, and does not understand this version of `vouch`.',
      fix: expect.stringMatching(/^Run `vouch login`/),
      exitCode: 1,
    });
  }
  expect(the.running.agent.hasSession).toBe(false);
  expect(await agentStatus(the.env)).toMatchObject({ version: '9.9.9', protocol: '2', session: null });
  await dropSession(the.env);
  await the.running.ended;
});

test.each([undefined, '2'])('a login replaces an agent of another version, with protocol %s', async (protocol) => {
  const the = await agent({ version: '9.9.9', protocol });
  await the.running.agent.take(newSession(the.world.url, { email: 'before@example.com' }));
  onTestFinished(async () => {
    const { pid } = await agentStatus(the.env);
    if (pid === process.pid) return;
    process.kill(pid, 'SIGKILL');
    await gone(pid);
  });
  const said: string[] = [];
  await handOverSession(newSession(the.world.url), the.env, { say: (text) => said.push(text) });
  expect(said).toEqual([`The agent of version 9.9.9 ends now, and one of version ${version} takes its place.`]);
  await the.running.ended;
  expect(the.running.agent.hasSession).toBe(false);
  expect(the.world.count('revoke')).toBe(1);
  expect(await agentStatus(the.env)).toMatchObject({ version, session: { email: 'alice@example.com' } });
});

test('a login says that the server could not be told of the session of an agent that it replaces', async () => {
  const the = await agent({ version: '9.9.9' });
  await the.running.agent.take(newSession(the.world.url));
  onTestFinished(async () => {
    const { pid } = await agentStatus(the.env);
    if (pid === process.pid) return;
    process.kill(pid, 'SIGKILL');
    await gone(pid);
  });
  the.world.answers.revoke = (response) => json(response, 503, {});
  const said: string[] = [];
  await handOverSession(newSession(the.world.url), the.env, { say: (text) => said.push(text) });
  expect(said[1]).toMatch(/^The server could not be told that your earlier session is over; .* 503/);
});
