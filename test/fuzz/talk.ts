import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** How bytes are sent on a socket. */
export interface Delivery {
  pieces: number;
  /** Milliseconds after each piece. */
  pause: number;
  /** After the last piece: close our side, cut the connection, or only wait. */
  last: 'close' | 'cut' | 'wait';
}

export const inOnePiece: Delivery = { pieces: 1, pause: 0, last: 'close' };

/**
 * Sends bytes on a socket, and listens until the other side is done. The agent hangs up on a client that only waits; if it does
 * not, we give up after 15 seconds.
 *
 * @returns the whole answer
 */
export function talk(path: string, bytes: Uint8Array, { pieces, pause, last }: Delivery): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.once('end', () => socket.end());
    socket.once('close', () => resolve(answer));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // An agent that has read enough hangs up while we still send.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(answer);
      else reject(error);
    });
    socket.setTimeout(15_000, () => socket.destroy());
    // Once the agent has hung up and we have closed our side (see 'end' above), the socket is not writable.
    const speak = async () => {
      const length = Math.max(1, Math.ceil(bytes.length / pieces));
      for (let at = 0; at < bytes.length && socket.writable; at += length) {
        socket.write(bytes.subarray(at, at + length));
        if (pause > 0) await wait(pause);
      }
      if (last === 'close') socket.end();
      if (last === 'cut') socket.destroy();
    };
    socket.once('connect', () => void speak());
  });
}
