import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { handOverSession } from '../../../cli/agent/client/hand-over.ts';
import { agentStatus, dropSession } from '../../../cli/agent/client/requests.ts';
import { asProblem, Problem } from '../../../cli/problem/problem.ts';
import { version } from '../../../cli/programs.ts';
import { prepareRuntimeFolder } from '../../../cli/runtime-folder/prepare-folder.ts';
import { newSession } from '../support.ts';
import { agent, agentMachine, signedIn } from './support.ts';

/** A `PUT /session` on a connection that the agent has accepted, without its last byte. */
async function beginHandOver(path: string): Promise<{ finish(): Promise<string> }> {
  const body = JSON.stringify(newSession('https://vouch.example.com'));
  const socket: Socket = connect(path);
  let answer = '';
  socket.on('data', (data) => (answer += data));
  // By the interim answer (RFC 9110, 10.1.1) the agent waits for the body.
  const head = `PUT /session HTTP/1.1\r\nHost: agent\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(`${head}${body.slice(0, -1)}`);
  await new Promise((resolve) => socket.once('data', resolve));
  return {
    finish: () =>
      new Promise((resolve) => {
        socket.once('close', () => resolve(answer.split('\r\n\r\n').slice(1).join('\r\n\r\n')));
        socket.end(body.slice(-1));
      }),
  };
}

test('a session that comes while the agent leaves is refused, and not kept', async () => {
  const the = await signedIn();
  const { finish } = await beginHandOver(the.agentSocket);
  expect(await dropSession(the.env)).toEqual({ revoked: true });
  const answer = await finish();
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toContain('urn:vouch:problem:agent-leaving');
  expect(the.running.agent.hasSession).toBe(false);
  await the.running.ended;
});

test('a session that comes when the agent has lost its name is refused, and not kept', async () => {
  const the = await agent();
  const { finish } = await beginHandOver(the.agentSocket);
  rmSync(the.agentSocket);
  expect(await finish()).toContain('urn:vouch:problem:agent-leaving');
  expect(the.running.agent.hasSession).toBe(false);
});

test('an agent whose folder was wiped (by logind, say) revokes and forgets its session, and ends by itself', async () => {
  const the = await signedIn({ interval: 5 });
  rmSync(dirname(the.agentSocket), { recursive: true });
  await the.running.ended;
  expect(the.running.agent.hasSession).toBe(false);
  expect(the.world.count('revoke')).toBe(1);
});

test('an agent whose folder was wiped ends by itself, even if the server is down', async () => {
  const the = await signedIn({ interval: 5 });
  the.world.answers.revoke = (response) => response.writeHead(500).end();
  rmSync(dirname(the.agentSocket), { recursive: true });
  await the.running.ended;
  expect(the.running.agent.hasSession).toBe(false);
});

test('an agent whose name another one has ends by itself, and leaves the other one its name', async () => {
  const the = await signedIn({ interval: 5 });
  rmSync(the.agentSocket);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(the.agentSocket, resolve));
  onTestFinished(() => void other.close());
  await the.running.ended;
  expect(existsSync(the.agentSocket)).toBe(true);
});

test('a session that was refused by an agent that is ending is handed to its successor', async () => {
  const asked: string[] = [];
  // Closed last: that removes the socket's name, by which the clean-up finds the successor.
  onTestFinished(() => void ending.close());
  const the = agentMachine();
  prepareRuntimeFolder(the.env);
  const ending = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.method === 'GET') return response.end(JSON.stringify({ version }));
    rmSync(the.agentSocket);
    const leaving = new Problem({ kind: 'agent-leaving', what: 'The vouch agent is just ending.' });
    request.resume().on('end', () => response.writeHead(503).end(JSON.stringify(asProblem(leaving))));
  });
  await new Promise<void>((resolve) => ending.listen(the.agentSocket, resolve));
  await handOverSession(newSession('https://vouch.example.com'), the.env);
  expect(asked).toEqual(['GET /status', 'PUT /session']);
  expect((await agentStatus(the.env)).session?.email).toBe('alice@example.com');
});
