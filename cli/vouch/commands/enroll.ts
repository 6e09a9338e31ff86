import { changeConfig, chosenServer, readConfig } from '../../config.ts';
import { answerPage, enrolledKey, openedPage, startEnrolment } from '../../enrolment/enrolment.ts';
import { readInvitation } from '../../enrolment/invitation-code.ts';
import { checkPage } from '../../enrolment/our-page.ts';
import { machineName } from '../../login/machine-name.ts';
import { discover } from '../../login/oidc-client.ts';
import { openBrowser } from '../../login/open-browser.ts';
import { prepareNetwork } from '../../network/environment.ts';
import { untilAborted } from '../../network/until-aborted.ts';
import { Problem } from '../../problem/problem.ts';
import { type Dialog, openDialog } from '../../terminal/dialog.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import { ProgressLine, type Screen } from '../../terminal/progress-line.ts';
import { keyLabel } from '../../text/key-label.ts';

export interface EnrollOptions {
  server?: string;
  /** What the key shall be called; the server finds a name otherwise. */
  name?: string;
  /** False with --no-browser: the URL is only printed. */
  browser: boolean;
  /** The longest wait for the touch, in seconds. */
  timeout: number;
}

/** `vouch enroll`: makes a security key known to the server, with an invitation from the administrator. */
export async function enroll(options: EnrollOptions): Promise<number> {
  const { env, stdout, stderr } = process;
  // What would fail afterwards fails before the person is asked for anything.
  const server = chosenServer(env, options.server);
  const remembered = readConfig(env).server;
  const { signal, release } = interruptible({
    seconds: options.timeout,
    what: 'The key was not enrolled in time.',
    fix: 'Run `vouch enroll` again; your invitation is still good.',
  });
  const dialog = openDialog(signal);
  let progress = new ProgressLine(stderr);
  try {
    await reach(server, stderr, signal);
    // Whatever comes of this enrolment, the next command need not be told where to go.
    if (remembered === undefined) changeConfig(env, { server });
    const invitation = await askInvitation(dialog);
    const request = {
      invitation,
      machine: machineName(),
      ...(options.name === undefined ? {} : { name: options.name }),
    };
    const { url, poll, email } = await startEnrolment(server, request, signal);
    stdout.write(`Enrolling a security key for ${email} at ${new URL(server).host}\n  ${url}\n`);
    const opening = progress;
    opening.show('Waiting for the page to open …');
    if (options.browser) {
      void openBrowser(url, env).then((opened) => {
        if (!opened) opening.show('No browser could be started: open the address above …');
      });
    }
    const words = await openedPage(server, poll, signal);
    progress.end();
    const not = await checkPage(dialog, words, stderr);
    await answerPage(server, poll, { words, mine: not === undefined }, signal);
    if (not !== undefined) throw not;
    progress = new ProgressLine(stderr);
    progress.show('Follow the browser: it asks for your security key …');
    const key = await enrolledKey(server, poll, signal);
    progress.end();
    stdout.write(`Enrolled ${keyLabel(key)} for ${email}. Next: \`vouch login\`\n`);
    changeConfig(env, { server, people: { ...readConfig(env).people, [server]: email } });
    return 0;
  } finally {
    progress.end();
    dialog.close();
    release();
  }
}

/** How long the server may keep the person waiting until they are told for whom, in milliseconds. */
const soon = 1000;

/** Makes sure that a Vouch server answers, before anybody looks for a code and types it. */
async function reach(server: string, stderr: Screen, signal: AbortSignal): Promise<void> {
  prepareNetwork();
  const progress = new ProgressLine(stderr);
  const slow = setTimeout(() => progress.show(`Waiting for ${new URL(server).host} …`), soon);
  try {
    await untilAborted(discover(server, signal), signal);
  } finally {
    clearTimeout(slow);
    progress.end();
  }
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
