import { agentStatus } from '../../agent/client/requests.ts';
import { signInAddress } from '../../aws/console/sign-in-address.ts';
import { openSecretly } from '../../console/open-secretly.ts';
import { prepareNetwork } from '../../network/proxies-and-certificates.ts';
import { printNote } from '../../problem/print.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import type { Io } from '../../terminal/io.ts';
import { jsonText } from '../../text/json-text.ts';
import { clockTime } from '../../text/time.ts';
import { chosenCredentials, type ProfileOptions, roleWords } from '../profile-credentials.ts';

export interface ConsoleOptions extends ProfileOptions {
  /** Prints the address instead of opening it. */
  print?: boolean;
  /** JSON for programs. */
  json?: boolean;
}

/** How long the browser may take, in seconds. */
const patience = 120;

/** `vouch console`: signs the browser in to AWS's console, with a profile's role. */
export async function openConsole(
  { print = false, json = false, ...options }: ConsoleOptions,
  io: Io,
): Promise<number> {
  const { signal, release } = interruptible({
    seconds: patience,
    what: 'Your browser did not come for the address of the AWS console.',
    fix: 'Try again, or run `vouch console --print` and open the address yourself.',
  });
  try {
    prepareNetwork(io.env);
    const { profile, region, credentials } = await chosenCredentials(options, io.env);
    const { session } = await agentStatus(io.env, { signal });
    const { role } = profile;
    const issuer = session?.issuer ?? '';
    const address = await signInAddress({ credentials, role, region, issuer, env: io.env, signal });
    const until = clockTime(new Date(credentials.expiration), new Date());
    const facts = { profile: profile.name, role: role.arn, region: region ?? null, until: credentials.expiration };
    if (print) {
      printNote(io.stderr, {
        what: `Whoever opens this address in the next 15 minutes is ${roleWords(profile)} until ${until}.`,
      });
      io.stdout.write(json ? `${jsonText({ ...facts, address: address.href })}\n` : `${address.href}\n`);
      return 0;
    }
    if (!json) io.stdout.write(`Opening the AWS console in your browser: ${roleWords(profile)}, until ${until}\n`);
    await openSecretly(address, { env: io.env, signal });
    if (json) io.stdout.write(`${jsonText(facts)}\n`);
    return 0;
  } finally {
    release();
  }
}
