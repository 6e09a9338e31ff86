import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Context } from '../../../server/context.ts';
import { SessionWatch } from '../../../server/sessions/session-watch.ts';
import type { Store } from '../../../server/store/store.ts';
import type { CliClient } from '../cli-client.ts';
import { enrolPerson, expectProblem, signIn, startServer, type TestServer } from '../support.ts';
import { ways } from './over.ts';

let server: TestServer;
/** As another process has it, such as a command. */
let other: Store;

beforeAll(async () => {
  server = await startServer();
  other = await server.context.config.database.openExisting();
});
afterAll(async () => {
  await other.destroy();
  await server.close();
});

async function signedIn(at: TestServer = server) {
  const { email, key } = await enrolPerson(at);
  const { client, access_token: token } = await signIn(at.origin, key);
  return { email, keyId: key.id, client, token, sid: String(decodeJwt(token).sid) };
}

const open = ({ client, token }: { client: CliClient; token: string }) =>
  client.api('GET', '/api/session/events', token);

/** The lines of a stream, as they come. */
async function* linesOf(response: Response): AsyncGenerator<unknown> {
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}

async function nextOf(lines: AsyncGenerator<unknown>): Promise<unknown> {
  return (await lines.next()).value;
}

/** What is still to come, to the stream's proper end. */
async function restOf(lines: AsyncGenerator<unknown>): Promise<unknown[]> {
  const rest: unknown[] = [];
  for await (const line of lines) rest.push(line);
  return rest;
}

describe('GET /api/session/events', () => {
  test('answers at once, in a form that no proxy holds back', async () => {
    const response = await open(await signedIn());
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      connection: 'close',
    });
    const lines = linesOf(response);
    expect(await nextOf(lines)).toEqual({ event: 'alive' });
    await lines.return(undefined);
  });

  test.each(ways)('tells that the session is over (%s) when another process ends it, and ends', async (reason, end) => {
    const the = await signedIn();
    const bystander = await signedIn();
    const linesOfBystander = linesOf(await open(bystander));
    const lines = linesOf(await open(the));
    expect(await nextOf(lines)).toEqual({ event: 'alive' });
    await end({ store: other, ...the });
    expect(await restOf(lines)).toEqual([{ event: 'over', ...(reason && { reason }) }]);
    const members: Record<string, string> = reason === undefined ? {} : { reason };
    await expectProblem(await open(the), 401, 'session-over', members);
    await expectProblem(await the.client.api('GET', '/api/session', the.token), 401, 'session-over', members);
    await bystander.client.api('DELETE', '/api/session', bystander.token);
    expect(await restOf(linesOfBystander)).toEqual([{ event: 'alive' }, { event: 'over', reason: 'signed-out' }]);
  });

  test('is only for the holder of a session', async () => {
    const the = await signedIn();
    const path = '/api/session/events';
    await expectProblem(await the.client.api('GET', path, the.token, { proof: null }), 401, 'token-refused');
    const proof = await the.client.proof('GET', path, { token: the.token });
    const response = await the.client.api('GET', path, the.token, { proof });
    expect(response.status).toBe(200);
    await response.body?.cancel();
    await expectProblem(await the.client.api('GET', path, the.token, { proof }), 401, 'token-refused');
  });

  test('leaves a session its newest two streams, out of any number', async () => {
    const the = await signedIn();
    const [first, second] = [linesOf(await open(the)), linesOf(await open(the))];
    for (const lines of [first, second]) expect(await nextOf(lines)).toEqual({ event: 'alive' });
    const others = await Promise.all(Array.from({ length: 60 }, async () => linesOf(await open(the))));
    // They end in an orderly way, but nothing says that the session is over.
    expect([await restOf(first), await restOf(second)]).toEqual([[], []]);
    const ended: unknown[][] = [];
    const { promise: allButTwo, resolve } = Promise.withResolvers<void>();
    const rests = others.map(async (lines) => ended.push(await restOf(lines)) === 58 && resolve());
    await allButTwo;
    expect((await the.client.api('DELETE', '/api/session', the.token)).status).toBe(204);
    await Promise.all(rests);
    const over = [{ event: 'alive' }, { event: 'over', reason: 'signed-out' }];
    expect(ended).toEqual([...Array(58).fill([{ event: 'alive' }]), over, over]);
  });

  test('is counted apart from all other requests of an address', async () => {
    const the = await signedIn();
    const left = async (path: string) => {
      const response = await the.client.api('GET', path, the.token);
      await response.body?.cancel();
      return /; *r=(\d+)/.exec(response.headers.get('ratelimit') ?? '')?.[1];
    };
    const before = Number(await left('/api/session'));
    const stream = Number(await left('/api/session/events'));
    expect(Number(await left('/api/session/events'))).toBe(stream - 1);
    expect(Number(await left('/api/session'))).toBe(before - 1);
  });

  test('ends in an orderly way when the server ends, which does not wait for it', async () => {
    const another = await startServer();
    let closed: Promise<void> | undefined;
    onTestFinished(() => closed ?? another.close());
    const the = await signedIn(another);
    const lines = linesOf(await open(the));
    expect(await nextOf(lines)).toEqual({ event: 'alive' });
    closed = another.close();
    // Running requests are cut after 20 seconds, which would be an error here.
    expect(await restOf(lines)).toEqual([]);
    await closed;
  });
});

/** A watch whose clock the test moves, behind a server that authenticates nobody: the path is the session's ID, the query names the person. */
async function watching(options: { capacity?: number; context?: Partial<Context> } = {}) {
  const clock = { elapsed: 0 };
  const context = { ...server.context, ...options.context };
  const watch = new SessionWatch(context, { ...options, elapsed: () => clock.elapsed });
  const refused: unknown[] = [];
  const listening = createServer((asked: IncomingMessage, response: ServerResponse) => {
    try {
      const [id = '', person = 'nobody'] = String(asked.url).slice(1).split('?');
      watch.open({ id, email: `${person}@example.com` }, response);
    } catch (error) {
      refused.push(error);
      response.writeHead(503).end();
    }
  });
  await new Promise<void>((resolve) => listening.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve));
  onTestFinished(() => {
    watch.close();
    listening.closeAllConnections();
    listening.close();
  });
  const { port } = listening.address() as AddressInfo;
  return {
    clock,
    watch,
    refused,
    stream: async (id: string) => linesOf(await fetch(`http://127.0.0.1:${port}/${id}`)),
    /** Opens a stream, reads its head, and hangs up. */
    hangUp: (id: string) =>
      new Promise<void>((resolve, reject) => {
        const asked = request({ port, host: '127.0.0.1', path: `/${id}` }, (response) => {
          response.once('close', resolve).on('error', () => {});
          response.destroy();
        });
        asked.on('error', reject).end();
      }),
  };
}

/** Stores sessions of a new person. @returns their IDs */
async function storeSessions(count: number): Promise<string[]> {
  const { sid } = await signedIn();
  const { store } = server.context;
  const row = await store.selectFrom('sessions').selectAll().where('id', '=', sid).executeTakeFirstOrThrow();
  const ids = Array.from({ length: count }, (_, index) => `${sid}-${index}`);
  for (const id of ids)
    await store
      .insertInto('sessions')
      .values({ ...row, id, grant_id: null })
      .execute();
  return ids;
}

/** The server's store, which does something first each time that it is used. */
function storeThat(first: () => void): Store {
  return new Proxy(server.context.store, {
    get: (target, name) => {
      first();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a watch', () => {
  test('gives a sign of life every 20 seconds, and asks to be opened again within the hour', async () => {
    const { clock, watch, stream } = await watching();
    const [id = ''] = await storeSessions(1);
    const lines = await stream(id);
    expect(await nextOf(lines)).toEqual({ event: 'alive' });
    for (let seconds = 20; seconds < 45 * 60; seconds += 20) {
      clock.elapsed = seconds * 1000 - 1;
      await watch.look();
      clock.elapsed = seconds * 1000;
      await watch.look();
      expect(await nextOf(lines)).toEqual({ event: 'alive' });
    }
    clock.elapsed = 3600_000;
    await watch.look();
    expect(await restOf(lines)).toEqual([{ event: 'again' }]);
    expect(watch.size).toBe(0);
  });

  test('finds the few that are over among very many', async () => {
    const { watch, stream } = await watching();
    const ids = await storeSessions(1100);
    const streams = await Promise.all(ids.map((id, index) => stream(`${id}?person-${index}`)));
    expect(watch.size).toBe(1100);
    const over = [0, 499, 500, 1099];
    const chosen = over.map((index) => ids[index] ?? '');
    await other
      .updateTable('sessions')
      .set({ revoked_at: 1, end_reason: 'not-me' })
      .where('id', 'in', chosen)
      .execute();
    await watch.look();
    expect(watch.size).toBe(1096);
    for (const index of over) {
      const lines = streams[index];
      if (lines) expect(await restOf(lines)).toEqual([{ event: 'alive' }, { event: 'over', reason: 'not-me' }]);
    }
  });

  test('has room for so many and no more, and has it again when one hangs up', async () => {
    const { watch, stream, refused, hangUp } = await watching({ capacity: 2 });
    const [a = '', b = '', c = ''] = await storeSessions(3);
    const first = await stream(a);
    await nextOf(first);
    await stream(b);
    expect(watch.size).toBe(2);
    await stream(c);
    expect(refused).toMatchObject([{ kind: 'unavailable', headers: { 'Retry-After': '60' } }]);
    await first.return(undefined);
    await expect.poll(() => watch.size, { timeout: 30_000 }).toBe(1);
    await hangUp(c);
    await expect.poll(() => watch.size, { timeout: 30_000 }).toBe(1);
    expect(refused).toHaveLength(1);
  });

  test('leaves a person their newest 100 streams, so that nobody takes all the room', async () => {
    const { watch, stream, refused } = await watching({ capacity: 110 });
    const ids = await storeSessions(111);
    const [bystander = '', ...many] = ids;
    const theirs = await stream(`${bystander}?another`);
    const streams: AsyncGenerator<unknown>[] = [];
    for (const id of many) streams.push(await stream(id));
    expect(refused).toEqual([]);
    expect(watch.size).toBe(101);
    // Those that end do so in an orderly way, and nothing says that a session is over.
    for (const ended of streams.slice(0, 10)) expect(await restOf(ended)).toEqual([{ event: 'alive' }]);
    // Who hangs up makes room for another stream of theirs.
    for (const lines of streams.slice(10, 12)) {
      await nextOf(lines);
      await lines.return(undefined);
    }
    await expect.poll(() => watch.size, { timeout: 30_000 }).toBe(99);
    for (const id of many.slice(0, 3)) await stream(id);
    expect(watch.size).toBe(101);
    await other.updateTable('sessions').set({ revoked_at: 1, end_reason: 'not-me' }).where('id', 'in', ids).execute();
    await watch.look();
    const over = { event: 'over', reason: 'not-me' };
    expect(await restOf(theirs)).toEqual([{ event: 'alive' }, over]);
    expect(await restOf(streams[12] as AsyncGenerator<unknown>)).toEqual([{ event: 'alive' }]);
    for (const kept of streams.slice(13)) expect(await restOf(kept)).toEqual([{ event: 'alive' }, over]);
    expect(watch.size).toBe(0);
  });

  test('opens nothing for a client that has hung up already', async () => {
    const watch = new SessionWatch(server.context);
    onTestFinished(() => watch.close());
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const listening = createServer((_asked, response) => {
      response.once('close', () => {
        watch.open({ id: 'gone', email: 'nobody@example.com' }, response);
        resolve();
      });
      asked.destroy();
    });
    await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready));
    onTestFinished(() => void listening.close());
    const asked = request({ port: (listening.address() as AddressInfo).port, host: '127.0.0.1' });
    asked.on('error', () => {}).end();
    await closed;
    expect(watch.size).toBe(0);
  });

  test('opens nothing more once it is closed', async () => {
    const { watch, stream, refused } = await watching();
    const [id = ''] = await storeSessions(1);
    watch.close();
    await stream(id);
    expect(refused).toMatchObject([{ kind: 'unavailable' }]);
  });

  test('asks the database nothing while nobody listens', async () => {
    let asked = 0;
    const store = storeThat(() => {
      asked += 1;
    });
    const { watch, hangUp } = await watching({ context: { store } });
    const [id = ''] = await storeSessions(1);
    await hangUp(id);
    await expect.poll(() => watch.size, { timeout: 30_000 }).toBe(0);
    await watch.look();
    expect(asked).toBe(0);
  });

  test('outlasts a database that cannot be read, says so once, and tells what it missed', async () => {
    let broken = true;
    const logged: unknown[] = [];
    const store = storeThat(() => {
      if (broken) throw new Error('the disk is gone');
    });
    const log = { error: (...what: unknown[]) => logged.push(what) } as unknown as Context['log'];
    const { clock, watch, stream } = await watching({ context: { store, log } });
    const [id = ''] = await storeSessions(1);
    const lines = await stream(id);
    await nextOf(lines);
    await watch.look();
    clock.elapsed = 20_000;
    await watch.look();
    expect(await nextOf(lines)).toEqual({ event: 'alive' });
    expect(logged).toHaveLength(1);
    broken = false;
    await watch.look();
    broken = true;
    await watch.look();
    expect(logged).toHaveLength(2);
    await other.updateTable('sessions').set({ revoked_at: 1, end_reason: 'not-me' }).where('id', '=', id).execute();
    broken = false;
    await watch.look();
    expect(await restOf(lines)).toEqual([{ event: 'over', reason: 'not-me' }]);
  });
});
