import { rmSync, writeFileSync } from 'node:fs';
import { readTextFile } from '../files/read-file.ts';
import { signInNeeded } from '../problem/sign-in-needed.ts';
import { prepareRuntimeFolder } from '../runtime-folder/check-folder.ts';
import { unansweredLogin } from '../runtime-folder/runtime-folder.ts';
import { clockTime } from '../text/time.ts';

/**
 * Remembers that nobody answered a sign-in that a program had started: an editor that fetches every few minutes would else open
 * one page after the other, all night. What is remembered is a time and a number, in the folder of the sockets.
 */

/** How long nothing is started after the first one, in milliseconds; after each further one twice as long. */
const firstPause = 15 * 60_000;

/** A working day: it is as long as a session lasts, and then the person is asked once more. */
const longestPause = 8 * 3_600_000;

interface Unanswered {
  /** When the last one was given up, in milliseconds since 1970. */
  at: number;
  /** How many there were, one after the other. */
  count: number;
}

/**
 * Makes sure that it may be tried to have somebody sign in who cannot be seen.
 *
 * @param why the sentence that says why there is no session
 * @param now the wall clock, in milliseconds since 1970
 * @throws Problem `login-unanswered` while the last one that nobody answered is not long ago
 */
export function checkUnanswered(why: string, env: NodeJS.ProcessEnv, now = Date.now()): void {
  const last = read(env);
  if (last === undefined) return;
  const until = last.at + Math.min(longestPause, firstPause * 2 ** (last.count - 1));
  // A clock that was set back would keep it up for longer.
  if (now >= until || now < last.at) return;
  const time = (at: number) => clockTime(new Date(at), new Date(now));
  throw signInNeeded(
    'login-unanswered',
    `${why} Nobody answered the sign-in that ended at ${time(last.at)}, so no other one begins before ${time(until)}.`,
  );
}

/** Takes down that a sign-in that was shown to somebody came to nothing. Where that cannot be written, the next one is tried. */
export function rememberUnanswered(env: NodeJS.ProcessEnv, now = Date.now()): void {
  const count = Math.min(99, (read(env)?.count ?? 0) + 1);
  try {
    prepareRuntimeFolder(env);
    writeFileSync(unansweredLogin(env), `${now} ${count}\n`, { mode: 0o600 });
  } catch {
    // What the person is told is why there is no session.
  }
}

/** Somebody is there again. */
export function forgetUnanswered(env: NodeJS.ProcessEnv): void {
  try {
    rmSync(unansweredLogin(env), { force: true });
  } catch {
    // It passes by itself.
  }
}

/** What is no note of ours counts as none. */
function read(env: NodeJS.ProcessEnv): Unanswered | undefined {
  let text: string;
  try {
    text = readTextFile(unansweredLogin(env), 200);
  } catch {
    return undefined;
  }
  const [, at, count] = /^(\d{1,15}) ([1-9]\d?)\n$/.exec(text) ?? [];
  return at === undefined ? undefined : { at: Number(at), count: Number(count) };
}
