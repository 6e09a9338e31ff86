import { rmSync, writeFileSync } from 'node:fs';
import { readTextFile } from '../files/read-file.ts';
import { signInNeeded } from '../problem/sign-in-needed.ts';
import { prepareRuntimeFolder } from '../runtime-folder/prepare-folder.ts';
import { unansweredLogin } from '../runtime-folder/runtime-folder.ts';
import { clockTime } from '../text/time.ts';

/**
 * Remembers that nobody answered a sign-in that a program started. Otherwise an editor that fetches every few minutes would open
 * one page after the other, all night. The note is a time and a number, in the folder of the sockets.
 */

/** The pause after the first unanswered sign-in, in milliseconds. It doubles after each further one. */
const firstPause = 15 * 60_000;

/** The longest pause, in milliseconds: a working day, which is as long as a session lasts. */
const longestPause = 8 * 3_600_000;

interface Unanswered {
  /** When the last sign-in was given up, in milliseconds since 1970. */
  at: number;
  /** How many in a row nobody answered. */
  count: number;
}

/**
 * Makes sure that a sign-in may begin without a terminal.
 *
 * @param why the reason for the login, a sentence
 * @param now the wall clock, in milliseconds since 1970
 * @throws Problem `login-unanswered` during the pause after an unanswered sign-in
 */
export function checkUnanswered(why: string, env: NodeJS.ProcessEnv, now = Date.now()): void {
  const last = read(env);
  if (last === undefined) return;
  const until = last.at + Math.min(longestPause, firstPause * 2 ** (last.count - 1));
  // A clock that was set back must not make the pause longer.
  if (now >= until || now < last.at) return;
  const time = (at: number) => clockTime(new Date(at), new Date(now));
  throw signInNeeded(
    'login-unanswered',
    `${why} Nobody answered the sign-in that ended at ${time(last.at)}, so no other one begins before ${time(until)}.`,
  );
}

/** Records that nobody answered a sign-in. If the note cannot be written, the next sign-in is simply tried. */
export function rememberUnanswered(env: NodeJS.ProcessEnv, now = Date.now()): void {
  const count = Math.min(99, (read(env)?.count ?? 0) + 1);
  try {
    prepareRuntimeFolder(env);
    writeFileSync(unansweredLogin(env), `${now} ${count}\n`, { mode: 0o600 });
  } catch {
    // The person is told why there is no session, and that matters more.
  }
}

/** Removes the note, because a person is there again. */
export function forgetUnanswered(env: NodeJS.ProcessEnv): void {
  try {
    rmSync(unansweredLogin(env), { force: true });
  } catch {
    // The pause ends by itself.
  }
}

/** A damaged note counts as none. */
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
