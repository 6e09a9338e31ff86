import { vouchProfiles } from '../../aws/config/profiles.ts';
import { changeConfig, chosenServer, readConfig } from '../../config.ts';
import { logInAttended } from '../../login/attended.ts';
import { signedIn } from '../../login/log-in.ts';
import { printProblem } from '../../problem/print.ts';
import { nextStep } from '../../setup/next-step.ts';
import { fitted, speaker } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';

export interface LoginOptions {
  server?: string;
  /** False with --no-browser: the URL is only printed. */
  browser: boolean;
  /** The longest wait for the touch, in seconds. */
  timeout: number;
  /** The port of 127.0.0.1 that the browser comes back to; by default the port in the settings, or any free one. */
  port?: number;
  /** Whether the person pastes the code that the page shows, because the browser cannot come back. */
  paste?: boolean;
  /** JSON for programs; what the person needs goes to standard error. */
  json?: boolean;
  /** Whether this is a step of `vouch setup`, which says itself what comes next. */
  isStep?: boolean;
}

/** `vouch login`: a touch of the security key, then 8 hours of Git. */
export async function login({ json = false, isStep = false, ...options }: LoginOptions): Promise<number> {
  const { env, stdout, stderr } = process;
  // Wrong settings are reported before the person is asked for anything.
  const server = chosenServer(env, options.server);
  const { server: remembered } = readConfig(env);
  const say = speaker(json ? stderr : stdout);
  const { session, suggestSpare } = await logInAttended({ ...options, env, server, say, screen: stderr });
  if (json) {
    const { issuer, email, key, expiresAt } = session;
    stdout.write(`${jsonText({ server: issuer, email, key, expiresAt, suggestSpare })}\n`);
  } else {
    say(signedIn(session));
    // The page has advised it as well. A script has no use for it.
    if (suggestSpare && stderr.isTTY) stderr.write(fitted(spareAdvice, stderr));
  }
  if (remembered !== server) remember(server);
  // Without a role, the session gives nobody anything.
  if (!json && !isStep && (await vouchProfiles(env)).length === 0) say(`Next: ${await nextStep(env)}`);
  return 0;
}

const spareAdvice =
  'This is your only key: if you lose it, only an administrator can let you back in.\n' +
  'Add a spare one: `vouch keys add`\n';

/** Stores the server's URL for the next login. A failure is only printed: the session is good without it. */
function remember(server: string): void {
  try {
    changeConfig(process.env, { server });
  } catch (error) {
    printProblem(process.stderr, error);
  }
}
