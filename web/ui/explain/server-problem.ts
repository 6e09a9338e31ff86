import type { Problem } from '../problem.ts';
import { alreadyEnrolled, commandFor, type Explanation, type Purpose, pinTrouble } from './explanation.ts';

/** What the server's refusal means: by its name, or in the server's own words if we do not know the name. */
export function explainProblem(problem: Problem, purpose: Purpose): Explanation {
  const { name } = problem;
  const command = commandFor(purpose);
  switch (name) {
    case 'interaction-over':
    case 'session-over':
      return purpose === 'sign-in'
        ? {
            kind: name,
            mood: 'warning',
            title: 'This sign-in is over.',
            advice: `Its link has been used or has expired. Run \`${command}\` again.`,
            canRetry: false,
          }
        : inItsWords(problem, 'warning', 'This enrolment is over.', `Run \`${command}\` again.`, false);
    case 'unknown-key':
      return purpose === 'sign-in'
        ? {
            kind: name,
            mood: 'warning',
            title: 'This key isn’t enrolled here.',
            advice:
              'Try again with a key that is. If this one was, it has been removed: ask your administrator. A new key needs `vouch enroll` and an invitation.',
            canRetry: true,
          }
        : {
            kind: name,
            mood: 'warning',
            title: 'You have not enrolled this key.',
            advice: 'Plug in the key that you already use here, and try again.',
            canRetry: true,
          };
    case 'other-browser':
      return {
        kind: name,
        mood: 'refused',
        title: 'Another browser opened this page first.',
        advice: `If that was not you, somebody else saw this address. Your terminal asks about words that you cannot see here: answer no, then run \`${command}\` again.`,
        canRetry: false,
      };
    case 'challenge-used':
      return {
        kind: name,
        mood: 'warning',
        title: 'That touch came too late, or was sent twice.',
        advice: 'Nothing is wrong with your key. Try again.',
        canRetry: true,
      };
    case 'user-not-verified':
      return pinTrouble;
    case 'counter-went-back':
      return {
        kind: name,
        mood: 'refused',
        title: 'This key may have been copied, so it was refused.',
        advice: sentence(problem.detail) ?? 'Tell your administrator before you use it again.',
        canRetry: false,
      };
    case 'cancelled':
      return {
        kind: name,
        mood: 'off',
        title: 'You cancelled. Nothing happened.',
        advice: 'No key was enrolled, and your invitation is still good.',
        canRetry: false,
      };
    case 'already-enrolled':
      return alreadyEnrolled;
    case 'key-refused':
      return inItsWords(
        problem,
        'refused',
        'This kind of key isn’t accepted here.',
        'Plug in another key and try again, or ask your administrator which keys are.',
        true,
      );
    case 'assertion-refused':
      return inItsWords(
        problem,
        'refused',
        'The server did not accept the key’s answer.',
        'Try again. If it happens again, tell your administrator.',
        true,
      );
    case 'invitation-refused':
      return inItsWords(
        problem,
        'refused',
        'This invitation can’t be used.',
        'Check the code and try again. If it is right, it has been used or has expired: ask your administrator for a new one.',
        false,
      );
    case 'too-many-requests':
      return {
        kind: name,
        mood: 'warning',
        title: 'Too many tries in a short time.',
        advice: `Wait ${problem.retryAfterSeconds ? duration(problem.retryAfterSeconds) : 'a minute'}, then try again.`,
        canRetry: true,
      };
  }
  if (problem.status >= 500) {
    return {
      kind: 'server-error',
      mood: 'warning',
      title: 'The server has a problem. It isn’t you or your key.',
      advice: sentence(problem.detail) ?? 'Try again in a moment. If it happens again, tell your administrator.',
      canRetry: true,
    };
  }
  return inItsWords(
    problem,
    'refused',
    'The server did not accept this.',
    `Run \`${command}\` again. If it happens again, tell your administrator.`,
    false,
  );
}

/** In the server's words, or in ours if it sent none. */
function inItsWords(
  problem: Problem,
  mood: Explanation['mood'],
  title: string,
  advice: string,
  canRetry: boolean,
): Explanation {
  return {
    kind: problem.name || 'refused',
    mood,
    title: sentence(problem.title) ?? title,
    advice: sentence(problem.detail) ?? advice,
    canRetry,
  };
}

/** The text with a full stop, or undefined if there is none. */
function sentence(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

function duration(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
