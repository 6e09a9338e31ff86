import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Link } from './network.ts';

/** A server that repeats in capitals what it hears, and a link to it. */
async function shouting() {
  const heard: string[] = [];
  const ended: Socket[] = [];
  const gone: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard.push(text);
      socket.write(text.toUpperCase());
    });
    socket.on('end', () => {
      ended.push(socket);
      socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => gone.push(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const link = await Link.open((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    await link.close();
    server.close();
  });
  return { link, heard, ended, gone };
}

/** A client that is connected through the link. */
async function caller({ link }: { link: Link }) {
  const socket = connect({ port: link.port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  const said: string[] = [];
  let hungUp = false;
  socket.setEncoding('utf8').on('data', (text: string) => said.push(text));
  socket.on('end', () => {
    hungUp = true;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, said: () => said.join(''), hungUp: () => hungUp };
}

/** A new caller gets an answer. */
async function expectUp(the: { link: Link }): Promise<void> {
  const { socket, said } = await caller(the);
  socket.write('well');
  await vi.waitFor(() => expect(said()).toBe('WELL'));
}

const refused = async ({ link }: { link: Link }) => {
  const socket = connect(link.port, '127.0.0.1').resume();
  const [error] = await once(socket, 'error');
  return (error as NodeJS.ErrnoException).code;
};

test('a link that is up carries data and hang-ups in both directions', async () => {
  const the = await shouting();
  const { socket, said, hungUp } = await caller(the);
  socket.write('hello');
  await vi.waitFor(() => expect(said()).toBe('HELLO'));
  socket.end(' world');
  await vi.waitFor(() => expect(hungUp()).toBe(true));
  expect([said(), the.heard.join(''), the.ended.length]).toEqual(['HELLO WORLD', 'hello world', 1]);
});

test('a link that is down cuts open connections, refuses new ones, and comes back on the same port', async () => {
  const the = await shouting();
  const { socket } = await caller(the);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  the.link.condition = 'down';
  await closed;
  expect(await refused(the)).toBe('ECONNREFUSED');
  the.link.condition = 'up';
  await expectUp(the);
});

test('a black hole accepts callers but carries nothing; their data arrives when it is over', async () => {
  const the = await shouting();
  const early = await caller(the);
  early.socket.write('early');
  await vi.waitFor(() => expect(early.said()).toBe('EARLY'));
  the.link.condition = 'black-hole';
  const late = await caller(the);
  late.socket.write('late');
  early.socket.write(' again');
  // When this later caller is connected, the link has received the data of the earlier ones.
  await caller(the);
  expect(the.heard).toEqual(['early']);
  the.link.condition = 'up';
  await vi.waitFor(() => expect([early.said(), late.said()]).toEqual(['EARLY AGAIN', 'LATE']));
});

test('a caller that gives up in a black hole is gone for the far end too', async () => {
  const the = await shouting();
  const { socket, said } = await caller(the);
  socket.write('hello');
  await vi.waitFor(() => expect(said()).toBe('HELLO'));
  the.link.condition = 'black-hole';
  socket.destroy();
  await vi.waitFor(() => expect(the.gone).toHaveLength(1));
});

test('half-closed, the far end hangs up on open and on new connections, and still hears them', async () => {
  const the = await shouting();
  const early = await caller(the);
  early.socket.write('hello');
  await vi.waitFor(() => expect(early.said()).toBe('HELLO'));
  the.link.condition = 'half-closed';
  const late = await caller(the);
  await vi.waitFor(() => expect([early.hungUp(), late.hungUp()]).toEqual([true, true]));
  early.socket.write('early');
  late.socket.write('late');
  await vi.waitFor(() => expect(the.heard.toSorted()).toEqual(['early', 'hello', 'late']));
  expect([early.said(), late.said()]).toEqual(['HELLO', '']);
  the.link.condition = 'up';
  await expectUp(the);
});

test('a delay makes each piece late in both directions, and keeps their order', async () => {
  const the = await shouting();
  the.link.condition = { delay: 60 };
  const { socket, said, hungUp } = await caller(the);
  const start = performance.now();
  socket.write('one ');
  socket.write('two ');
  socket.end('three');
  await vi.waitFor(() => expect(hungUp()).toBe(true));
  expect(said()).toBe('ONE TWO THREE');
  // One delay for the connection, and at least one in each direction; a timer may fire up to a millisecond early.
  expect(performance.now() - start).toBeGreaterThan(179);
});

test('if nothing listens on the target port, the connection breaks', async () => {
  const free = await Link.open(1);
  const link = await Link.open(free.port);
  onTestFinished(() => link.close());
  await free.close();
  const socket = connect(link.port, '127.0.0.1').resume();
  const [error] = await once(socket, 'error');
  expect((error as NodeJS.ErrnoException).code).toBe('ECONNRESET');
});
