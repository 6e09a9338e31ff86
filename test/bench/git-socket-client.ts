import { connect } from 'node:net';

/**
 * Asks the agent for a credential over git.sock, as `git credential-cache` does.
 *
 * @param request what Git sends to a helper
 * @returns the whole answer
 */
export function getCredential(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    // Node sends it once the connection is open.
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

/** Whether an answer holds a credential. */
export const hasPassword = (answer: string) => /^(?:password|credential)=/m.test(answer);
