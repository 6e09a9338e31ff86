import { dropSession } from '../agent/client.ts';
import type { NewSession } from '../agent/protocol.ts';
import { handOverSession, startAgent } from '../agent/start.ts';
import { changeConfig, chosenServer, readConfig } from '../config.ts';
import { clockTime, describeKey, duration } from '../login/describe.ts';
import { interruptible } from '../login/interrupt.ts';
import { openBrowser } from '../login/open-browser.ts';
import { signIn } from '../login/sign-in.ts';
import { type WaitingLine, waitingLine } from '../login/waiting.ts';

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
  const server = chosenServer(env, options.server);
  const { signal, release } = interruptible(
    options.timeout,
    `Nobody touched a security key within ${Math.round(options.timeout)} seconds.`,
    'Run `vouch login` again (`--timeout` allows more time).',
  );
  // Started first: it is ready when the person is.
  const { started } = await startAgent(env);
  let waiting: WaitingLine | undefined;
  let session: NewSession;
  try {
    session = await signIn({
      server,
      signal,
      onPage: (url) => {
        const host = new URL(server).host;
        stdout.write(
          options.browser ? `Opening your browser to sign in at ${host}\n  ${url}\n` : `To sign in, open\n  ${url}\n`,
        );
        waiting = waitingLine(stderr, 'Touch your security key in the browser …');
        if (options.browser) {
          void openBrowser(url, env).then((opened) => {
            if (!opened && !signal.aborted) {
              waiting?.done();
              stderr.write('No browser could be started: open the address above yourself.\n');
              waiting = waitingLine(stderr, 'Waiting for your touch …');
            }
          });
        }
      },
    });
    await handOverSession(session, env);
  } catch (error) {
    // What this command started and has no use, it ends.
    if (started) await dropSession(env).catch(() => {});
    throw error;
  } finally {
    waiting?.done();
    release();
  }
  if (readConfig(env).server !== server) changeConfig(env, { server });
  const until = new Date(session.expiresAt);
  const now = new Date();
  stdout.write(
    `Signed in as ${session.email} with ${describeKey(session.key)} ` +
      `until ${clockTime(until, now)}, ${duration(until.getTime() - now.getTime())} from now\n`,
  );
  return 0;
}
