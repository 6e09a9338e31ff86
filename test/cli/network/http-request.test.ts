import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assumeRole } from '../../../cli/aws/sts/assume-role.ts';
import { sendRequest } from '../../../cli/network/http-request.ts';

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n';

/**
 * A server that answers every request with this text, and keeps the connection open.
 *
 * @returns `said` settles when the text is sent; with `switching`, when the client has then hung up
 */
async function serverSaying(text: string): Promise<{ url: URL; said: Promise<void> }> {
  const { promise: said, resolve } = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => resolve());
    socket.once('data', () => socket.write(text, () => text !== switching && resolve()));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), said };
}

describe('a request ends at its signal', () => {
  test.each([
    ['nothing is answered', ''],
    ['the answer has begun, and ends with the connection', 'HTTP/1.1 200 OK\r\n\r\n{'],
    ['the answer is another protocol', switching],
  ])('and %s', async (_what, text) => {
    const { url, said } = await serverSaying(text);
    const given = new AbortController();
    const answer = sendRequest(url, { method: 'POST', headers: {}, signal: given.signal, longest: 10 });
    answer.catch(() => {});
    await said;
    given.abort(new Error('given up'));
    await expect(answer).rejects.toThrow('given up');
  });

  test("by AWS's SDK too, when the answer is another protocol", async () => {
    const { url, said } = await serverSaying(switching);
    const given = new AbortController();
    const answer = assumeRole({
      role: 'arn:aws:iam::123456789012:role/Other',
      region: 'us-east-1',
      env: { AWS_ENDPOINT_URL_STS: url.href },
      sessionName: 'alice@example.com',
      duration: 900,
      signal: given.signal,
      source: {
        role: 'arn:aws:iam::123456789012:role/VouchDeveloper',
        credentials: { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T', expiration: 0 },
      },
    });
    answer.catch(() => {});
    await said;
    given.abort();
    await expect(answer).rejects.toMatchObject({ kind: 'aws-unreachable', why: 'It did not answer in time.' });
  });
});
