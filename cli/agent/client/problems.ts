import { Problem } from '../../problem/problem.ts';
import { signInNeeded } from '../../problem/sign-in-needed.ts';
import { count } from '../../text/count.ts';
import { printable } from '../../text/printable.ts';

/** The problems that clients can have with the agent. */

export function notRunning(): Problem {
  return signInNeeded('agent-not-running', 'You are not signed in.', 'No vouch agent is running.');
}

/** @param timeout how long we waited, in milliseconds */
export function hung(timeout: number): Problem {
  return new Problem({
    kind: 'agent-hung',
    what: 'The vouch agent does not answer.',
    why: `It gave no answer within ${count(timeout / 1000, 'second')}, so it hangs or was stopped.`,
    fix: 'Run `vouch agent stop`, which ends it, then `vouch login`.',
  });
}

/** @param cut the error that cut the connection before an answer */
export function silent(why: string, cut?: Error): Problem {
  return new Problem(
    {
      kind: 'agent-silent',
      what: 'The vouch agent did not answer properly.',
      why,
      fix: 'Run `vouch agent stop`, then `vouch login`.',
    },
    { cause: cut },
  );
}

export function noMoreFiles(why: string): Problem {
  return new Problem({
    kind: 'too-many-files',
    what: 'The vouch agent could not be asked: this process, or the system, has too many files open.',
    why,
    fix: 'Raise the limit (`ulimit -n 1024`), or close the program that has so many files open, then try again.',
  });
}

/** @param why the process's output before it ended */
export function notStarted(why: string): Problem {
  return new Problem({
    kind: 'agent-failed',
    what: 'The vouch agent did not start.',
    why: printable(why, 500) || 'It ended without a message.',
    fix: 'Try again; if it fails again, report it with the line above.',
  });
}

export function notEnded(pid: number): Problem {
  return new Problem({
    kind: 'agent-lives',
    what: `The vouch agent, process ${pid}, does not answer, and cannot be ended.`,
    why: 'The system has not ended it yet: it may be waiting for a disk or a network drive.',
    fix: `Try again later. Vouch has already tried \`kill -9 ${pid}\`.`,
  });
}

/** No process is ended, because it is not certain which one the hung agent is. */
export function unknownProcess(why: string): Problem {
  return new Problem({
    kind: 'agent-unknown',
    what: 'The vouch agent does not answer, and it is not certain which process it is.',
    why,
    fix: `Look for it with \`ps -fu "$(id -un)" | grep agent\`, end it with \`kill -9 <its number>\`, and try again.`,
  });
}
