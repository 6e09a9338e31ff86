import { protocolVersion } from '../protocol/messages.ts';

/**
 * One request over agent.sock and its answer, in HTTP. `node:http` takes longer to load than a command takes for all the rest, so
 * this implements the little of HTTP that our two programs need: HTTP/1.0 (RFC 1945), where every connection is for one request,
 * and no answer is chunked.
 */

/** More than any of the agent's answers, in bytes, with the head. */
const longestAnswer = 1024 * 1024;

export interface AgentRequest {
  /** The socket's path. */
  socket: string;
  method: string;
  /** With its query. */
  path: string;
  body: string | Uint8Array | undefined;
  /** The longest wait for the whole answer, in milliseconds. */
  timeout: number;
  /** Gives the request up, and its reason is thrown. */
  signal?: AbortSignal | undefined;
}

export interface AgentAnswer {
  status: number;
  text: string;
}

/** There was no answer in time. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** The connection was cut before the answer was whole. */
export class HungUp extends Error {
  override readonly name = 'HungUp';
}

/**
 * Sends a request, and reads its answer.
 *
 * @throws HungUp; TimedOut; an Error of `connect`, with its code; other Errors, whose message is what was wrong with the answer
 */
export function exchange({ socket: at, method, path, body = '', timeout, signal }: AgentRequest): Promise<AgentAnswer> {
  return new Promise((resolve, reject) => {
    // Loaded here, because most code in the same bundle asks no agent.
    const socket = process.getBuiltinModule('node:net').connect(at);
    const timer = setTimeout(() => end(new TimedOut('It did not answer in time.')), timeout);
    const abort = () => end(signal?.reason);
    const end = (result: AgentAnswer | Error) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      if (result instanceof Error) {
        socket.destroy();
        return reject(result);
      }
      resolve(result);
      // Node sets up standard error for this (net.js), and a program that ends with its answer need not wait for that.
      setImmediate(() => socket.destroy());
    };
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) return abort();
    let received = Buffer.alloc(0);
    const read = (ended: boolean) => {
      try {
        const answer = readAnswer(received, ended);
        if (answer) end(answer);
      } catch (error) {
        end(error as Error);
      }
    };
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length > longestAnswer) end(new Error(`Its answer is longer than ${longestAnswer} bytes.`));
      else read(false);
    });
    socket.on('end', () => read(true));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const cut = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      end(cut ? new HungUp('The connection was cut.', { cause: error }) : error);
    });
    const bytes = Buffer.from(body);
    const head = `${method} ${path} HTTP/1.0\r\nVouch-Protocol: ${protocolVersion}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    // In one write: an agent that answers at once may have closed the connection before a second one.
    socket.write(Buffer.concat([Buffer.from(head), bytes]));
  });
}

/**
 * Reads an answer as far as it has come. Its body has the length in Content-Length; without that it reaches to the connection's
 * end (RFC 9112, 6.3).
 *
 * @param ended whether the connection has ended
 * @returns undefined when the answer is not whole yet
 * @throws HungUp when the rest cannot come any more; Error when it is not an answer in HTTP
 */
export function readAnswer(received: Buffer, ended: boolean): AgentAnswer | undefined {
  const split = received.indexOf('\r\n\r\n');
  const [first = '', ...fields] = received.toString('latin1', 0, Math.max(split, 0)).split('\r\n');
  if (split !== -1) {
    const [, status] = /^HTTP\/1\.[01] ([2-5]\d\d)(?: |$)/.exec(first) ?? [];
    const lengths = fieldsNamed('content-length', fields);
    const [, length] = /^[^:]+:[ \t]*(\d{1,9})[ \t]*$/.exec(lengths[0] ?? '') ?? [];
    const isChunked = fieldsNamed('transfer-encoding', fields).length > 0;
    // The length is given once, or not at all: an answer of two lengths is not the agent's.
    if (!status || isChunked || lengths.length > 1 || (lengths.length === 1 && length === undefined)) {
      throw new Error('Its answer is not the HTTP that we asked for.');
    }
    const body = received.subarray(split + 4);
    const whole = length === undefined ? undefined : Number(length);
    if (whole === undefined ? ended : body.length >= whole) {
      return { status: Number(status), text: body.toString('utf8', 0, whole ?? body.length) };
    }
  }
  if (ended) throw new HungUp('The connection ended before the answer did.');
  return undefined;
}

function fieldsNamed(name: string, fields: readonly string[]): string[] {
  return fields.filter((field) => field.split(':', 1)[0]?.trimEnd().toLowerCase() === name);
}
