import { setTimeout as wait } from 'node:timers/promises';
import { openBrowser } from '../login/open-browser.ts';
import { untilAborted } from '../network/until-aborted.ts';
import { Problem } from '../problem/problem.ts';
import { prepareRuntimeFolder } from '../runtime-folder/prepare-folder.ts';
import { oneTimeAddress } from './one-time-address.ts';
import { tellsUsers } from './peer.ts';
import { privatePage } from './private-page.ts';

export interface OpenOptions {
  env: NodeJS.ProcessEnv;
  /** Ends the wait, and its reason is thrown. */
  signal: AbortSignal;
}

/** How long a page on the disk stays there for the browser, in milliseconds. */
const pageLife = 20_000;

/**
 * Opens a secret address in the person's browser, so that no other user of the machine can read it. Resolves when the browser has it.
 *
 * @throws Problem `no-browser`; the signal's reason
 */
export async function openSecretly(location: URL, { env, signal }: OpenOptions): Promise<void> {
  if (tellsUsers()) {
    const { url, taken, close } = await oneTimeAddress(location);
    try {
      // A browser that was already running answers at once, long before its start counts as a success.
      const opened = openBrowser(url, env).then((started) => (started ? taken : Promise.reject(noBrowser())));
      await untilAborted(Promise.race([taken, opened]), signal);
    } finally {
      close();
    }
    return;
  }
  const { url, remove } = privatePage(location, prepareRuntimeFolder(env));
  try {
    if (!(await untilAborted(openBrowser(url, env), signal))) throw noBrowser();
    await untilAborted(wait(pageLife, undefined, { signal }), signal);
  } finally {
    remove();
  }
}

function noBrowser(): Problem {
  return new Problem({
    kind: 'no-browser',
    what: 'No browser could be opened here.',
    fix: 'Run `vouch console --print`, and open the address where your browser is. It signs in whoever has it.',
  });
}
