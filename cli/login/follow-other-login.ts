import { connect } from 'node:net';
import { Problem } from '../problem/problem.ts';
import { signInNeeded } from '../problem/sign-in-needed.ts';
import { checkRuntimeFolder } from '../runtime-folder/check-folder.ts';
import { loginSocket, runtimeFolder } from '../runtime-folder/runtime-folder.ts';
import { parseJson } from '../text/parse-json.ts';
import type { SignInPage } from './browser-flow.ts';

/** More than a holder sends, in bytes. */
const longest = 64 * 1024;

/**
 * Waits for the sign-in that another process has under way (lock.ts).
 *
 * @param onPage called with the page to open
 * @param signal ends the wait, and its reason is thrown
 * @returns `done` when there is a session; `gone` when the process ended without a result
 * @throws Problem why the sign-in failed; `login-unclear`; as checkRuntimeFolder
 */
export async function followLogin(
  env: NodeJS.ProcessEnv,
  onPage: (page: SignInPage) => void,
  signal: AbortSignal,
): Promise<'done' | 'gone'> {
  const { promise, resolve, reject } = Promise.withResolvers<'done' | 'gone'>();
  const folder = runtimeFolder(env);
  checkRuntimeFolder(folder);
  const socket = connect(loginSocket(env, folder)).setEncoding('utf8');
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });

  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (text.length > longest) reject(unclear());
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const { state, url, words, problem } of lines.map(
      (line) => Object(parseJson(line)) as Record<string, unknown>,
    )) {
      if (state === 'page') onPage({ url: String(url), words: String(words) });
      else if (state === 'done') resolve('done');
      else if (state === 'failed') reject(Problem.fromJSON(problem) ?? unclear());
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (!['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(error.code ?? '')) reject(error);
  });
  socket.on('close', () => resolve('gone'));
  return promise.finally(() => {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  });
}

function unclear(): Problem {
  return signInNeeded(
    'login-unclear',
    'Another process has a sign-in under way, and does not say properly how it goes.',
  );
}
