import { addKey } from '../../account/add-key.ts';
import { readKeyName } from '../../account/names.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import { speaker } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';
import { keyLabel } from '../../text/key-label.ts';

export interface KeysAddOptions {
  /** What to call the key. */
  name?: string;
  /** False with --no-browser: the URL is only printed. */
  browser: boolean;
  /** The longest wait, in seconds. */
  timeout: number;
  /** JSON for programs; what the person needs goes to standard error. */
  json?: boolean;
}

/** `vouch keys add`: opens the page that adds a key, and waits for it. */
export async function keysAdd({ json = false, ...options }: KeysAddOptions): Promise<number> {
  const { env, stdout, stderr } = process;
  const name = options.name === undefined ? undefined : readKeyName(options.name);
  const { signal, release } = interruptible({
    seconds: options.timeout,
    what: 'No new key came.',
    fix: 'Look at the page: is it signed in as you? Then run `vouch keys add` again, or see `vouch keys list`.',
  });
  try {
    const say = speaker(json ? stderr : stdout);
    const key = await addKey({ env, name, browser: options.browser, signal, say, screen: stderr });
    stdout.write(json ? `${jsonText({ key })}\n` : `Added ${keyLabel(key)}. It signs you in from now on\n`);
    return 0;
  } finally {
    release();
  }
}
