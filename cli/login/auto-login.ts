import { setTimeout as sleep } from 'node:timers/promises';
import { type FoundAgent, findAgent } from '../agent/client/find-agent.ts';
import { chosenServer, readConfig } from '../config.ts';
import { Interrupted, interruptible } from '../terminal/interrupt.ts';
import { ProgressLine, type Screen } from '../terminal/progress-line.ts';
import { count } from '../text/count.ts';
import { printable } from '../text/printable.ts';
import type { SignInPage } from './browser-flow.ts';
import { followLogin } from './follow-other-login.ts';
import { type HeldLogin, holdLogin } from './lock.ts';
import { logIn, signedIn } from './log-in.ts';
import { checkUnanswered, rememberUnanswered } from './unanswered.ts';

/** The longest wait for the touch, in seconds; as for `vouch login`. */
const timeout = 300;

/** The pause between two looks for a session that came by another way, in milliseconds. */
const lookEvery = 1000;

/** The pause before trying for the lock again, in milliseconds, so that no process tries without end at full speed. */
const retryAfter = 100;

/**
 * Gets a session for a program that cannot go on without one. Of any number of processes that do this at once, one opens the
 * browser, and the others wait for it. A session that comes by another way (`vouch login` in another terminal) ends the wait as
 * well. Nothing is written but to `stderr`.
 *
 * Without a terminal there may be no person, so after an unanswered sign-in it is not tried again for a while.
 *
 * @param why the reason for the login, a sentence
 * @throws Problem when the login fails, here or in the process that this one follows; `login-unanswered`; Interrupted at Ctrl-C
 */
export async function logInWhenNeeded(why: string, stderr: Screen, env: NodeJS.ProcessEnv): Promise<void> {
  const server = chosenServer(env, undefined);
  if (!stderr.isTTY) checkUnanswered(why, env);
  const { signal: stopped, release } = interruptible({
    seconds: timeout,
    what: `Nobody signed in within ${count(timeout, 'second')}.`,
    fix: 'Run `vouch login`, then try again.',
  });
  const found = new AbortController();
  const looking = setInterval(() => {
    findAgent(env).then(
      (agent) => hasSession(agent) && found.abort(),
      () => {},
    );
  }, lookEvery);
  const signal = AbortSignal.any([stopped, found.signal]);
  const progress = new ProgressLine(stderr);
  const say = (text: string) => progress.say(text);
  const onPage = ({ url, words }: SignInPage) =>
    say(
      `vouch: A sign-in is under way, and this waits for it: ${printable(url)}\n  Touch your key only if the page shows: ${printable(words)}`,
    );
  let held: HeldLogin | undefined;
  let shown = false;
  const onOurPage = (page: SignInPage) => {
    shown = true;
    held?.page(page);
  };
  try {
    for (;;) {
      held = await holdLogin(env);
      if (held) break;
      progress.show('Waiting for the sign-in that is under way …');
      if ((await followLogin(env, onPage, signal)) === 'done') return;
      // The process with the lock is gone, so one of the waiting processes takes the lock next.
      await sleep(retryAfter, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    const agent = await findAgent(env);
    if (!hasSession(agent)) {
      say(`vouch: ${printable(why)} Git waits while you sign in.`);
      const { callbackPort: port } = readConfig(env);
      const { session } = await logIn({
        env,
        server,
        found: agent,
        browser: true,
        port,
        signal,
        onPage: onOurPage,
        say,
        progress,
      });
      progress.end();
      say(`vouch: ${signedIn(session)}`);
    }
    held.done();
  } catch (error) {
    if (!found.signal.aborted || stopped.aborted) {
      // A person who presses Ctrl-C is at the terminal.
      if (shown && !(stderr.isTTY && error instanceof Interrupted)) rememberUnanswered(env);
      held?.failed(error);
      throw error;
    }
    held?.done();
  } finally {
    clearInterval(looking);
    progress.end();
    release();
  }
}

/** A hung agent counts as one without a session: the login replaces it. */
function hasSession(agent: FoundAgent): boolean {
  return agent.state === 'running' && agent.answer.session !== null;
}
