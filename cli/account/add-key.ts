import { setTimeout as sleep } from 'node:timers/promises';
import { accountKeys } from '../agent/client/account-requests.ts';
import { agentStatus } from '../agent/client/requests.ts';
import type { AccountKey } from '../agent/protocol/account.ts';
import { openBrowser } from '../login/open-browser.ts';
import { Problem } from '../problem/problem.ts';
import { signInNeeded } from '../problem/sign-in-needed.ts';
import { ProgressLine, type Screen } from '../terminal/progress-line.ts';
import { keyLabel } from '../text/key-label.ts';

/** The pause between two looks at the list of keys, in milliseconds: the person needs a minute or so. */
const lookEvery = 2000;

export interface AddKeyOptions {
  env: NodeJS.ProcessEnv;
  /** What to call the key; by default the person says so on the page. */
  name?: string | undefined;
  /** False when the person opens the page themselves. */
  browser: boolean;
  /** Ends the wait (Ctrl-C, the time-out), and its reason is thrown. */
  signal: AbortSignal;
  /** Prints which page to open. */
  say: (text: string) => void;
  /** Shows what we wait for. */
  screen: Screen;
}

/**
 * Opens the page on which the person adds a key, and waits until the server has it. The page does everything: the agent could not prove
 * that a person is there.
 *
 * @returns the new key
 * @throws Problem `name-taken`, `no-session`; `session-over` when the session ends meanwhile; as accountKeys; `signal.reason`
 */
export async function addKey({ env, name, browser, signal, say, screen }: AddKeyOptions): Promise<AccountKey> {
  const before = await accountKeys(env, signal);
  if (name !== undefined) checkFree(name, before);
  const { session } = await agentStatus(env, { signal });
  if (session === null) throw signInNeeded('no-session', 'You are not signed in.');
  const { href, host } = pageOf(session.issuer, name);
  say(`${browser ? `Opening your browser to add a key at ${host}` : 'To add a key, open'}\n  ${href}`);
  const progress = new ProgressLine(screen);
  progress.show('Follow the browser: a key that you have, then the new one …');
  if (browser) {
    void openBrowser(href, env).then((opened) => {
      if (!opened) progress.show('No browser could be started: open the address above, here or elsewhere …');
    });
  }
  try {
    return await newKey(before, env, signal);
  } finally {
    progress.end();
  }
}

/** The page begins with adding a key; its form has the name. */
function pageOf(issuer: string, name: string | undefined): URL {
  const page = new URL('/account?add', issuer);
  if (name !== undefined) page.search += `&name=${encodeURIComponent(name)}`;
  return page;
}

/** @throws Problem `name-taken` */
function checkFree(name: string, keys: readonly AccountKey[]): void {
  const same = keys.find((key) => key.name === name);
  if (same === undefined) return;
  throw new Problem({
    kind: 'name-taken',
    what: `You have a key of this name: ${keyLabel(same)}.`,
    fix: 'Choose another name.',
  });
}

/** Looks until there is a key that was not there before. A server that is away for a moment does not end the wait. */
async function newKey(before: readonly AccountKey[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<AccountKey> {
  const known = new Set(before.map(({ id }) => id));
  for (;;) {
    await sleep(lookEvery, undefined, { signal }).catch(() => signal.throwIfAborted());
    const found = await accountKeys(env, signal)
      .then((keys) => keys.find(({ id }) => !known.has(id)))
      .catch((error: unknown) => {
        signal.throwIfAborted();
        if (error instanceof Problem && error.category === 'unreachable') return undefined;
        throw error;
      });
    if (found !== undefined) return found;
  }
}
