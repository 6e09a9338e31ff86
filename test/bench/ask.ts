import { connect } from 'node:net';

/**
 * Asks the agent over git.sock, as `git credential-cache` does.
 *
 * @param request what Git says to a helper
 * @returns the whole answer
 */
export function ask(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    // At once: it is sent when the connection stands.
    socket.end(`action=get\ntimeout=900\n${request}`);
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', reject);
    socket.once('end', () => resolve(answer));
  });
}

/** Whether an answer is a good one. */
export const hasPassword = (answer: string) => /^(?:password|credential)=/m.test(answer);
