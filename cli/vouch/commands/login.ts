import { changeConfig, chosenServer, readConfig } from '../../config.ts';
import { type HeldLogin, holdLogin } from '../../login/lock.ts';
import { logIn, signedIn } from '../../login/log-in.ts';
import { printProblem } from '../../problem/print.ts';
import { confirm, openDialog } from '../../terminal/dialog.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import { ProgressLine } from '../../terminal/progress-line.ts';
import { count } from '../../text/count.ts';

export interface LoginOptions {
  server?: string;
  /** False with --no-browser: the URL is only printed. */
  browser: boolean;
  /** The longest wait for the touch, in seconds. */
  timeout: number;
  /** The port of 127.0.0.1 that the browser comes back to; by default the port in the settings, or any free one. */
  port?: number;
}

/** `vouch login`: a touch of the security key, then 8 hours of Git. */
export async function login(options: LoginOptions): Promise<number> {
  const { env, stdout, stderr } = process;
  // Wrong settings are reported before the person is asked for anything.
  const server = chosenServer(env, options.server);
  const { server: remembered, callbackPort } = readConfig(env);
  const { signal, release } = interruptible({
    seconds: options.timeout,
    what: `Nobody touched a security key within ${count(options.timeout, 'second')}.`,
    fix: 'Run `vouch login` again (`--timeout` allows more time).',
  });
  const progress = new ProgressLine(stderr);
  const say = (text: string) => stdout.write(`${text}\n`);
  const dialog = openDialog(signal);
  const keepOther = (question: string) => {
    progress.end();
    return confirm(dialog, question);
  };
  let held: HeldLogin | undefined;
  try {
    // If a Git needs a session meanwhile, it waits for this login.
    held = await holdLogin(env);
    // A second login is allowed: the person may have closed the first one's tab.
    if (held === undefined) say('Another sign-in is under way already; this one goes on beside it.');
    const { browser, port = callbackPort } = options;
    const session = await logIn({
      env,
      server,
      browser,
      port,
      signal,
      onPage: held?.page,
      say,
      progress,
      keepOther: dialog.isPerson ? keepOther : undefined,
    });
    held?.done();
    progress.end();
    say(signedIn(session));
  } catch (error) {
    held?.failed(error);
    throw error;
  } finally {
    progress.end();
    release();
  }
  if (remembered !== server) remember(server);
  return 0;
}

/** Stores the server's URL for the next login. A failure is only printed: the session is good without it. */
function remember(server: string): void {
  try {
    changeConfig(process.env, { server });
  } catch (error) {
    printProblem(process.stderr, error);
  }
}
