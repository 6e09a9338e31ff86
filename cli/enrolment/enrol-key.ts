import { changeConfig, readConfig } from '../config.ts';
import { machineName } from '../login/machine-name.ts';
import { openBrowser } from '../login/open-browser.ts';
import { reachServer } from '../login/reach-server.ts';
import { prepareNetwork } from '../network/proxies-and-certificates.ts';
import { Problem } from '../problem/problem.ts';
import type { Dialog } from '../terminal/dialog.ts';
import { ProgressLine, type Screen } from '../terminal/progress-line.ts';
import { checkPage } from './confirm-words.ts';
import { answerPage, type EnrolledKey, enrolledKey, openedPage, startEnrolment } from './enrolment.ts';
import { readInvitation } from './invitation-code.ts';
import { replacesText } from './replacement.ts';

export interface EnrolOptions {
  env: NodeJS.ProcessEnv;
  /** The server's issuer URL. */
  server: string;
  /** The key's name; by default the server finds one. */
  name?: string | undefined;
  /** False when the person opens the page themselves. */
  browser: boolean;
  /** Ends the wait (Ctrl-C, the time-out), and its reason is thrown. */
  signal: AbortSignal;
  /** Asks for the invitation's code, and whether the page is the right one. */
  dialog: Dialog;
  /** Prints which page to open. */
  say: (text: string) => void;
  /** Shows what we wait for. */
  screen: Screen;
}

/**
 * A whole enrolment: asks for the invitation's code, opens the page, makes sure that it is the right one, and waits for the touch.
 *
 * @returns the key, and whose it is
 * @throws Problem `no-input`, `other-page`, or as prepareNetwork, readInvitation, discover and startEnrolment; `signal.reason` when aborted
 */
export async function enrolKey(options: EnrolOptions): Promise<EnrolledKey & { email: string }> {
  const { env, server, name, browser, signal, dialog, say, screen } = options;
  const remembered = readConfig(env).server;
  prepareNetwork(env);
  await reachServer(server, screen, signal);
  // Even if this enrolment fails, the next command has the server's address.
  if (remembered === undefined) changeConfig(env, { server });
  const invitation = await askInvitation(dialog);
  const request = { invitation, machine: machineName(), ...(name === undefined ? {} : { name }) };
  const { url, poll, email, replaces } = await startEnrolment(server, request, signal);
  say(`Enrolling a security key for ${email} at ${new URL(server).host}\n  ${url}`);
  const replacement = replacesText(replaces);
  if (replacement !== undefined) say(replacement);
  const words = await whileShowing(screen, 'Waiting for the page to open …', (progress) => {
    if (browser) {
      void openBrowser(url, env).then((opened) => {
        if (!opened) progress.show('No browser could be started: open the address above …');
      });
    }
    return openedPage(server, poll, signal);
  });
  const wrongPage = await checkPage(dialog, words, screen);
  await answerPage(server, poll, { words, mine: wrongPage === undefined }, signal);
  if (wrongPage !== undefined) throw wrongPage;
  const touch = 'Follow the browser: it asks for your security key …';
  const enrolled = await whileShowing(screen, touch, () => enrolledKey(server, poll, signal));
  return { ...enrolled, email };
}

async function askInvitation(dialog: Dialog): Promise<string> {
  const line = await dialog.line('Invitation code (from your administrator): ');
  if (line) return readInvitation(line);
  throw new Problem({
    kind: 'no-input',
    what: 'No invitation code was given.',
    fix: dialog.isPerson
      ? 'Run the command again with the code that your administrator sent you.'
      : 'Run the command on a terminal, or give it the code on standard input.',
    category: 'usage',
  });
}

async function whileShowing<Result>(
  screen: Screen,
  text: string,
  wait: (progress: ProgressLine) => Promise<Result>,
): Promise<Result> {
  const progress = new ProgressLine(screen);
  progress.show(text);
  try {
    return await wait(progress);
  } finally {
    progress.end();
  }
}
