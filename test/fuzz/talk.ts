import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** How something is said on a socket. */
export interface Manner {
  /** In so many pieces, with a pause of so many milliseconds after each. */
  pieces: number;
  pause: number;
  /** What is done after the last piece: our side is closed, the connection is cut, or nothing. */
  last: 'close' | 'cut' | 'wait';
}

export const plainly: Manner = { pieces: 1, pause: 0, last: 'close' };

/**
 * Says something on a socket, and listens until the other side is done. Who only waits is hung up on by the agent, and who is not
 * gives up after some seconds.
 *
 * @returns all that was answered
 */
export function talk(path: string, said: Uint8Array, { pieces, pause, last }: Manner): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.once('end', () => socket.end());
    socket.once('close', () => resolve(answer));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // An agent that has heard enough hangs up while we still talk.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(answer);
      else reject(error);
    });
    socket.setTimeout(15_000, () => socket.destroy());
    // Once the agent has hung up and been answered (see 'end' above), nothing more can be said.
    const speak = async () => {
      const length = Math.max(1, Math.ceil(said.length / pieces));
      for (let at = 0; at < said.length && socket.writable; at += length) {
        socket.write(said.subarray(at, at + length));
        if (pause > 0) await wait(pause);
      }
      if (last === 'close') socket.end();
      if (last === 'cut') socket.destroy();
    };
    socket.once('connect', () => void speak());
  });
}
