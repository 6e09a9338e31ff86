import { readConfig } from '../config.ts';
import type { Problem } from '../problem/problem.ts';
import { confirm, openDialog } from '../terminal/dialog.ts';
import { hiddenLine } from '../terminal/hidden-line.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine, type Screen } from '../terminal/progress-line.ts';
import { count } from '../text/count.ts';
import { fitted } from '../text/hang.ts';
import { type HeldLogin, holdLogin } from './lock.ts';
import { logIn, type PasteDialog } from './log-in.ts';
import type { SignedIn } from './redeem.ts';

export interface AttendedOptions {
  env: NodeJS.ProcessEnv;
  /** The server's issuer URL. */
  server: string;
  /** False when the person opens the page themselves. */
  browser: boolean;
  /** The longest wait for the touch, in seconds. */
  timeout: number;
  /** The port of 127.0.0.1 that the browser comes back to; by default the port in the settings, or any free one. */
  port?: number | undefined;
  /** Whether the person carries the code from the page to the terminal, because the browser cannot come back. */
  paste?: boolean | undefined;
  /** Prints which page to open. */
  say: (text: string) => void;
  /** Shows what we wait for. */
  screen: Screen;
}

/**
 * A login that a person asked for with a command, and waits for. If a Git needs a session meanwhile, it waits for this login.
 *
 * @throws Problem as logIn; `timed-out`; Interrupted at Ctrl-C
 */
export async function logInAttended(options: AttendedOptions): Promise<SignedIn> {
  const { env, server, browser, timeout, paste = false, say, screen } = options;
  const { port = readConfig(env).callbackPort } = options;
  const { signal, release } = interruptible({
    seconds: timeout,
    what: `Nobody signed in within ${count(timeout, 'second')}.`,
    fix: `Run \`vouch login${paste ? ' --paste' : ''}\` again (\`--timeout\` allows more time).`,
  });
  const progress = new ProgressLine(screen);
  const dialog = openDialog(signal);
  const keepOther = (question: string) => {
    progress.end();
    return confirm(dialog, question);
  };
  const asking: PasteDialog = dialog.isPerson
    ? {
        pasted: () => hiddenLine('Code (it is not shown): ', signal, process.stderr),
        again: (problem: Problem) => screen.write(fitted(`${problem.lines().join('\n  ')}\n`, screen)),
      }
    : {
        pasted: () => {
          screen.write('Waiting for the code on standard input …\n');
          return dialog.line('');
        },
      };
  let held: HeldLogin | undefined;
  try {
    held = await holdLogin(env);
    // A second login is allowed: the person may have closed the first one's tab.
    if (held === undefined) say('Another sign-in is under way already; this one goes on beside it.');
    const signedIn = await logIn({
      env,
      server,
      browser,
      port,
      paste: paste ? asking : undefined,
      signal,
      onPage: held?.page,
      say,
      progress,
      keepOther: dialog.isPerson ? keepOther : undefined,
    });
    held?.done();
    return signedIn;
  } catch (error) {
    held?.failed(error);
    throw error;
  } finally {
    progress.end();
    dialog.close();
    release();
  }
}
