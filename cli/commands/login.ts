import type { NewSession } from '../agent/protocol.ts';
import { handOverSession } from '../agent/start.ts';
import { changeConfig, chosenServer, readConfig } from '../config.ts';
import { clockTime, describeKey, duration } from '../describe.ts';
import { interruptible } from '../login/interrupt.ts';
import { openBrowser } from '../login/open-browser.ts';
import { signIn } from '../login/sign-in.ts';
import { Waiting } from '../login/waiting.ts';
import { prepareRuntimeFolder } from '../paths.ts';
import { printProblem } from '../problem.ts';

export interface LoginOptions {
  server?: string;
  /** False with --no-browser: the URL is only printed. */
  browser: boolean;
  /** The longest wait for the touch, in seconds. */
  timeout: number;
}

/** `vouch login`: a touch of the security key, then 8 hours of Git. */
export async function login(options: LoginOptions): Promise<number> {
  const { env, stdout, stderr } = process;
  // What would fail afterwards fails before the person is asked for anything.
  const server = chosenServer(env, options.server);
  const remembered = readConfig(env).server;
  prepareRuntimeFolder(env);
  const { signal, release } = interruptible(
    options.timeout,
    `Nobody touched a security key within ${options.timeout} seconds.`,
    'Run `vouch login` again (`--timeout` allows more time).',
  );
  const waiting = new Waiting(stderr);
  let session: NewSession;
  try {
    session = await signIn({
      server,
      signal,
      onPage: (url) => {
        const host = new URL(server).host;
        if (!options.browser) {
          stdout.write(`To sign in, open\n  ${url}\n`);
          waiting.show('Touch your security key in the browser …');
          return;
        }
        stdout.write(`Opening your browser to sign in at ${host}\n  ${url}\n`);
        waiting.show('Touch your security key in the browser …');
        void openBrowser(url, env).then((opened) => {
          if (!opened) waiting.show('No browser could be started: open the address above. Waiting for your touch …');
        });
      },
    });
    await handOverSession(session, env);
  } finally {
    waiting.end();
    release();
  }
  const until = new Date(session.expiresAt);
  const now = new Date();
  stdout.write(
    `Signed in as ${session.email} with ${describeKey(session.key)} ` +
      `until ${clockTime(until, now)}, ${duration(until.getTime() - now.getTime())} from now\n`,
  );
  if (remembered !== server) remember(server);
  return 0;
}

/** The session stands whether or not the server's name could be written down. */
function remember(server: string): void {
  try {
    changeConfig(process.env, { server });
  } catch (error) {
    printProblem(process.stderr, error);
  }
}
