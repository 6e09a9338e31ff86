import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Link } from './network.ts';

/** A server that says back what it hears, in capitals, and a link to it. */
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

/** Somebody who is connected to a port. */
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

/** Every caller that comes now is answered. */
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

test('a link that is up carries what is said both ways, and each end of it', async () => {
  const the = await shouting();
  const { socket, said, hungUp } = await caller(the);
  socket.write('hello');
  await vi.waitFor(() => expect(said()).toBe('HELLO'));
  socket.end(' world');
  await vi.waitFor(() => expect(hungUp()).toBe(true));
  expect([said(), the.heard.join(''), the.ended.length]).toEqual(['HELLO WORLD', 'hello world', 1]);
});

test('one that is down cuts who is there, refuses who comes, and is found on the same port afterwards', async () => {
  const the = await shouting();
  const { socket } = await caller(the);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  the.link.condition = 'down';
  await closed;
  expect(await refused(the)).toBe('ECONNREFUSED');
  the.link.condition = 'up';
  await expectUp(the);
});

test('a black hole takes callers and lets nothing through, and what was said arrives when it is over', async () => {
  const the = await shouting();
  const early = await caller(the);
  early.socket.write('early');
  await vi.waitFor(() => expect(early.said()).toBe('EARLY'));
  the.link.condition = 'black-hole';
  const late = await caller(the);
  late.socket.write('late');
  early.socket.write(' again');
  // A second caller's connection is made after the first one's words have come to the link.
  await caller(the);
  expect(the.heard).toEqual(['early']);
  the.link.condition = 'up';
  await vi.waitFor(() => expect([early.said(), late.said()]).toEqual(['EARLY AGAIN', 'LATE']));
});

test('who gives up in a black hole is gone for the far end too', async () => {
  const the = await shouting();
  const { socket, said } = await caller(the);
  socket.write('hello');
  await vi.waitFor(() => expect(said()).toBe('HELLO'));
  the.link.condition = 'black-hole';
  socket.destroy();
  await vi.waitFor(() => expect(the.gone).toHaveLength(1));
});

test('half-closed, the far end hangs up on who is there and on who comes, and still hears them', async () => {
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

test('a delay makes each piece late, each way, and keeps their order', async () => {
  const the = await shouting();
  the.link.condition = { delay: 60 };
  const { socket, said, hungUp } = await caller(the);
  const start = performance.now();
  socket.write('one ');
  socket.write('two ');
  socket.end('three');
  await vi.waitFor(() => expect(hungUp()).toBe(true));
  expect(said()).toBe('ONE TWO THREE');
  // Once when it was joined, once each way at least; a timer may be early by less than a millisecond.
  expect(performance.now() - start).toBeGreaterThan(179);
});

test('where nobody listens, the connection breaks', async () => {
  const free = await Link.open(1);
  const link = await Link.open(free.port);
  onTestFinished(() => link.close());
  await free.close();
  const socket = connect(link.port, '127.0.0.1').resume();
  const [error] = await once(socket, 'error');
  expect((error as NodeJS.ErrnoException).code).toBe('ECONNRESET');
});
