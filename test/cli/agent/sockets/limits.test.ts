import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { agentStatus, gitCredentials } from '../../../../cli/agent/client/requests.ts';
import { MemoryBudget } from '../../../../cli/agent/sockets/memory-budget.ts';
import { gitRequest, type Machine, newSession, role, say } from '../../support.ts';
import { agent, signedIn, viaGit } from '../support.ts';

afterEach(() => void vi.restoreAllMocks());

const get = (path: string, head = '') => `GET ${path} HTTP/1.1\r\nHost: agent\r\n${head}\r\n`;

/** Requests that work, one for each socket. */
const good = {
  agentSocket: { request: get('/status'), answer: /^HTTP\/1\.1 200 OK\r\n/ },
  gitSocket: { request: `action=get\ntimeout=1\n${gitRequest}`, answer: /^username=/ },
};
const sockets = ['agentSocket', 'gitSocket'] as const;

const isServed = async (the: Machine, name: (typeof sockets)[number]) =>
  expect(await say(the[name], good[name].request)).toMatch(good[name].answer);

/** A client that sends something, and neither ends nor reads. */
async function idle(path: string, says = ''): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.pause().write(says);
  return socket;
}

/** Settles when the agent has closed its side. */
const closed = (socket: Socket) => new Promise((resolve) => socket.once('end', resolve).once('close', resolve));

describe.each(sockets)('on %s', (name) => {
  test.each([
    ['says nothing', ''],
    ['stops in the middle', good[name].request.slice(0, 20)],
  ])('a client that %s is cut off, and holds nobody up', async (_, says) => {
    const the = await signedIn({ requestTimeout: 200 });
    const slow = await idle(the[name], says);
    const ended = closed(slow);
    await isServed(the, name);
    slow.resume();
    await ended;
  });

  test('a client that sends a byte now and then is cut off all the same', async () => {
    const the = await signedIn({ requestTimeout: 200 });
    const slow = await idle(the[name]);
    const dripping = setInterval(() => slow.write('G'), 20);
    onTestFinished(() => clearInterval(dripping));
    slow.resume();
    await closed(slow);
  });

  test('one connection too many is refused at once, and taken when another one has ended', async () => {
    const the = await signedIn({ connections: 3 });
    const held = await Promise.all([1, 2, 3].map(() => idle(the[name])));
    expect(await say(the[name], good[name].request)).toBe('');
    // The other socket has its own connections.
    await isServed(the, name === 'gitSocket' ? 'agentSocket' : 'gitSocket');
    held[0]?.destroy();
    await vi.waitFor(() => isServed(the, name));
  });

  test('clients that read no answer keep no connection', async () => {
    const the = await signedIn({ connections: 2 });
    for (let i = 0; i < 2; i++) {
      const socket = await idle(the[name], good[name].request);
      if (name === 'gitSocket') socket.end();
    }
    await vi.waitFor(() => isServed(the, name));
  });
});

test('a client that does not read an answer larger than what the system takes is cut off', async () => {
  const the = await agent({ connections: 1, requestTimeout: 200 });
  for (let i = 0; i < 500; i++) the.running.agent.log.add('retry', `${i} ${'語'.repeat(390)}`);
  await idle(the.agentSocket, get('/logs'));
  await vi.waitFor(() => isServed(the, 'agentSocket'), { timeout: 10_000 });
});

test('one connection too many on both sockets gets an error in words', async () => {
  const the = await signedIn({ connections: 1 });
  await Promise.all([idle(the.agentSocket), idle(the.gitSocket)]);
  expect(await viaGit(the)).toBe('');
  await expect(gitCredentials(Buffer.from(gitRequest), the.env)).rejects.toMatchObject({
    kind: 'agent-silent',
    why: 'It hung up: it is just ending, or too many ask it at once.',
  });
});

describe('all that is sent at once', () => {
  const half = `${good.gitSocket.request}wwwauth[]=${'x'.repeat(1500)}`;
  const post = `POST /git HTTP/1.1\r\nHost: agent\r\nContent-Length: 4000\r\n\r\n`;

  test.each([
    ['gitSocket', half],
    ['agentSocket', `${post}${'x'.repeat(1500)}`],
  ] as const)('has room together: what is half said on %s is taken from both', async (name, says) => {
    const the = await signedIn({ memory: new MemoryBudget(2000) });
    const held = await idle(the[name], says);
    await vi.waitFor(async () => expect(await say(the.gitSocket, half)).toBe(''));
    expect(await say(the.agentSocket, `${post}${'x'.repeat(1500)}`, { end: false })).toMatch(/^HTTP\/1\.1 400 /);
    held.destroy();
    await vi.waitFor(async () => expect(await say(the.gitSocket, `${half}\n`)).toMatch(/^username=/));
  });

  test('has room again when it has been answered or cut off', async () => {
    const the = await signedIn({ memory: new MemoryBudget(2000), requestTimeout: 200 });
    for (let i = 0; i < 5; i++) {
      expect(await say(the.gitSocket, `${half}\n`)).toMatch(/^username=/);
      await gitCredentials(Buffer.from(`${gitRequest}wwwauth[]=${'x'.repeat(1500)}\n`), the.env);
      expect(await say(the.gitSocket, 'x'.repeat(1500))).toBe('');
      expect(await say(the.agentSocket, `${post}${'x'.repeat(1500)}`, { end: false })).toMatch(/^HTTP\/1\.1 408 |^$/);
    }
  });
});

test.each([
  ['a header of 20 KB', get('/status', `X: ${'x'.repeat(20_000)}\r\n`), 431],
  ['5,000 headers', get('/status', 'X: x\r\n'.repeat(5000)), 431],
  ['an address of 20 KB', get(`/${'x'.repeat(20_000)}`), 431],
  [
    'a body of 1 GB',
    `PUT /session HTTP/1.1\r\nHost: agent\r\nContent-Length: 1000000000\r\n\r\n${'x'.repeat(70_000)}`,
    400,
  ],
  [
    'a body that says no length and does not end',
    `PUT /session HTTP/1.1\r\nHost: agent\r\nTransfer-Encoding: chunked\r\n\r\n${`1000\r\n${'x'.repeat(4096)}\r\n`.repeat(20)}`,
    400,
  ],
])('%s is refused before it is all there', async (_, request, status) => {
  const the = await agent();
  expect(await say(the.agentSocket, request, { end: false })).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect((await agentStatus(the.env)).session).toBeNull();
});

test('of requests in one breath the first is answered, and no other one begun', async () => {
  const the = await signedIn();
  expect(await say(the.agentSocket, get(`/claims?role=${role}`).repeat(50), { end: false })).toMatch(/^HTTP\/1\.1 /);
  expect(the.world.count('token')).toBe(1);
});

test('a session that was handed over is left in no buffer that it came in', async () => {
  const the = await agent();
  const session = newSession(the.world.url);
  const body = JSON.stringify(session);
  const concat = vi.spyOn(Buffer, 'concat');
  const put = `PUT /session HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  expect(await say(the.agentSocket, put)).toMatch(/^HTTP\/1\.1 204 /);
  const buffers = concat.mock.results.flatMap(({ value }, i) => [value, ...(concat.mock.calls[i]?.[0] ?? [])]);
  const bodies = buffers.filter(({ length }) => length === body.length);
  expect(bodies).toHaveLength(2);
  for (const buffer of buffers) expect(Buffer.from(buffer).toString()).not.toContain(session.accessToken);
  for (const buffer of bodies) expect(Buffer.from(buffer).equals(Buffer.alloc(body.length))).toBe(true);
});
