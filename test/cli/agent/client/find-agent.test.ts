import { chmodSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { findAgent, foundBy } from '../../../../cli/agent/client/find-agent.ts';
import { awsCredentials } from '../../../../cli/agent/client/requests.ts';
import { machine, role } from '../../support.ts';
import { agent, inAgentsPlace, signedIn } from '../support.ts';

test('finds none if no agent has been, or one has ended', async () => {
  expect(await findAgent(machine().env)).toEqual({ state: 'none' });
  const the = await agent();
  the.running.end();
  await the.running.ended;
  expect(await findAgent(the.env)).toEqual({ state: 'none' });
});

test('finds one that runs, with its status', async () => {
  const the = await signedIn();
  expect(await findAgent(the.env)).toMatchObject({
    state: 'running',
    answer: { pid: process.pid, session: { email: 'alice@example.com' } },
  });
});

test.each<[string, (socket: Socket) => void, object]>([
  ['does not answer', () => {}, { kind: 'agent-hung' }],
  ['hangs up', (socket) => socket.destroy(), { kind: 'agent-silent' }],
  ['answers otherwise', (socket) => socket.on('error', () => {}).end('HELLO\r\n\r\n'), { kind: 'agent-silent' }],
])('finds that what has its socket %s', async (_, onConnection, problem) => {
  const the = await inAgentsPlace(onConnection);
  expect(await findAgent(the.env, { timeout: 500 })).toMatchObject({ state: 'hung', problem });
});

test('reports no state if the agent could not be asked, or refused', async () => {
  const the = await agent();
  await expect(foundBy(awsCredentials(role, undefined, the.env))).rejects.toMatchObject({ kind: 'no-session' });
  const interrupted = AbortSignal.abort(new Error('Ctrl-C'));
  await expect(findAgent(the.env, { signal: interrupted })).rejects.toThrow('Ctrl-C');
  chmodSync(dirname(the.agentSocket), 0o755);
  await expect(findAgent(the.env)).rejects.toMatchObject({ kind: 'unsafe-folder' });
  chmodSync(dirname(the.agentSocket), 0o700);
});
