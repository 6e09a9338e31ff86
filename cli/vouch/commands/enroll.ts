import { sayOutstanding } from '../../account/outstanding-words.ts';
import { changeConfig, chosenServer, readConfig } from '../../config.ts';
import { enrolKey } from '../../enrolment/enrol-key.ts';
import { nextStep } from '../../setup/next-step.ts';
import { openDialog } from '../../terminal/dialog.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import { speaker } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';
import { keyLabel } from '../../text/key-label.ts';

export interface EnrollOptions {
  server?: string;
  /** The key's name; by default the server chooses one. */
  name?: string;
  /** False with --no-browser: the URL is only printed. */
  browser: boolean;
  /** The longest wait for the touch, in seconds. */
  timeout: number;
  /** JSON for programs; what the person needs goes to standard error. */
  json?: boolean;
  /** Whether this is a step of `vouch setup`, which says itself what comes next. */
  isStep?: boolean;
}

/** `vouch enroll`: enrols a security key at the server, with an invitation from the administrator. */
export async function enroll({
  browser,
  name,
  timeout,
  json = false,
  isStep = false,
  ...options
}: EnrollOptions): Promise<number> {
  const { env, stdout, stderr } = process;
  // Wrong settings are reported before the person is asked for anything.
  const server = chosenServer(env, options.server);
  const { signal, release } = interruptible({
    seconds: timeout,
    what: 'The key was not enrolled in time.',
    fix: 'Run `vouch enroll` again; your invitation is still good.',
  });
  const dialog = openDialog(signal);
  const say = speaker(json ? stderr : stdout);
  try {
    const { key, email, awsCredentialsUntil } = await enrolKey({
      env,
      server,
      name,
      browser,
      signal,
      dialog,
      say,
      screen: stderr,
    });
    const outstanding = sayOutstanding(awsCredentialsUntil, new Date());
    if (outstanding !== undefined) say(outstanding);
    changeConfig(env, { server, people: { ...readConfig(env).people, [server]: email } });
    if (json) stdout.write(`${jsonText({ server, email, key, awsCredentialsUntil })}\n`);
    else say(`Enrolled ${keyLabel(key)} for ${email}${isStep ? '' : `. Next: ${await nextStep(env)}`}`);
    return 0;
  } finally {
    dialog.close();
    release();
  }
}
