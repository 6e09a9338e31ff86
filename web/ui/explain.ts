import { CeremonyError } from './ceremony.ts';
import { type Problem, ProblemError, UnreachableError } from './problem.ts';

/** What the person is doing: signing in, proving that they have a key already, or adding a key. */
export type Purpose = 'sign-in' | 'confirm' | 'enroll';

/** An error in words: what happened, what to do next, and whether trying again on this page can help. */
export interface Explanation {
  /** Stable, for tests and for support; never shown. */
  kind: string;
  title: string;
  /** Text between backticks is a command. */
  next: string;
  again: boolean;
  /** The browser keeps to itself why it stopped, and a PIN may be the reason: say what to do about one. */
  mayBePin?: boolean;
  /** And so may a key that has no room left. */
  mayBeFull?: boolean;
}

/** A refusal this soon, with nobody having pressed anything, is the browser asking for a press first. */
const tooSoonForAPerson = 1_000;

/** True when a ceremony that started by itself was refused because the browser wants the person to ask for it. */
export function wantsGesture(error: unknown): boolean {
  return error instanceof CeremonyError && error.reason === 'NotAllowedError' && error.elapsed < tooSoonForAPerson;
}

export function explain(error: unknown, purpose: Purpose, host: string): Explanation {
  if (error instanceof ProblemError) return explainProblem(error.problem, purpose);
  if (error instanceof CeremonyError) return explainCeremony(error, purpose);
  if (error instanceof UnreachableError) {
    return {
      kind: 'unreachable',
      title: `${host} does not answer.`,
      next: 'Check your network or VPN, then try again.',
      again: true,
    };
  }
  return {
    kind: 'unexpected',
    title: 'Something went wrong on this page.',
    next: 'Try again. If it happens again, tell your administrator.',
    again: true,
  };
}

/** Nothing on this page can work: the browser has no WebAuthn, or keeps it from pages without HTTPS. */
export function explainUnsupported(secure: boolean, purpose: Purpose): Explanation {
  const command = commandFor(purpose);
  return secure
    ? {
        kind: 'no-webauthn',
        title: 'This browser can’t use security keys.',
        next: `Make a current Firefox, Chrome, Edge or Safari your default browser, then run \`${command}\` again.`,
        again: false,
      }
    : {
        kind: 'insecure',
        title: 'Security keys work only over HTTPS.',
        next: 'This page was opened without it. Ask your administrator for the server’s https:// address.',
        again: false,
      };
}

function explainCeremony(error: CeremonyError, purpose: Purpose): Explanation {
  const timedOut = error.elapsed >= error.timeout - 500;
  switch (error.reason) {
    // Chromium, Firefox and Safari give this one name to cancel, time-out, a key that knows no credential here, a missing PIN,
    // a blocked PIN and a full key, each with the same message (https://www.w3.org/TR/webauthn-3/#sctn-assertion-privacy says
    // why). They say which it is in a dialog of their own: the page can only have a sentence for each.
    case 'NotAllowedError':
    case 'AbortError':
    case 'TimeoutError':
      return timedOut || error.reason === 'TimeoutError'
        ? {
            kind: 'timed-out',
            title: 'Nobody touched the key in time.',
            next: 'Try again when the key is at hand.',
            again: true,
            mayBePin: true,
            mayBeFull: purpose === 'enroll',
          }
        : {
            kind: 'cancelled',
            title: 'The browser stopped before the key answered.',
            next:
              purpose === 'enroll'
                ? 'If you cancelled, try again, and allow the browser to see the key’s make and model. If you didn’t, the key may have no PIN yet, or no room left: see below.'
                : 'If you cancelled, try again. If you didn’t, this key isn’t enrolled here: plug in one that is.',
            again: true,
            mayBePin: true,
            mayBeFull: purpose === 'enroll',
          };
    case 'InvalidStateError':
      return purpose === 'enroll'
        ? {
            kind: 'already-enrolled',
            title: 'This key is already enrolled for you.',
            next: 'It works as it is: run `vouch login`. To add a second key, plug in another one and try again.',
            again: true,
          }
        : // Of older Firefoxes, for a PIN that is missing or blocked.
          pinTrouble;
    case 'OperationError':
      // Of Chromium: one request at a time.
      return {
        kind: 'busy',
        title: 'Another page is asking for a key already.',
        next: 'Finish there, or close that page, then try again.',
        again: true,
      };
    case 'ConstraintError':
      // Windows gives this one also to a full key (webauthn.h, WebAuthNGetErrorName).
      return purpose === 'enroll'
        ? {
            kind: 'key-unfit',
            title: 'This key can’t do what is needed here.',
            next: 'Vouch needs a FIDO2 key with a PIN or a fingerprint. If yours is one, it has no PIN yet, or no room left: see below. Else use another key.',
            again: true,
            mayBePin: true,
            mayBeFull: true,
          }
        : pinTrouble;
    case 'NotSupportedError':
      return {
        kind: 'key-unfit',
        title: 'This key can’t do what is needed here.',
        next: 'Vouch needs a FIDO2 key. Plug in another key and try again.',
        again: true,
      };
    case 'SecurityError':
      return {
        kind: 'wrong-address',
        title: 'This page’s address isn’t the one that keys are enrolled for.',
        next: `Close it, and run \`${commandFor(purpose)}\` again. If that brings you back here, tell your administrator.`,
        again: false,
      };
    default:
      return keyTrouble;
  }
}

const pinTrouble: Explanation = {
  kind: 'pin',
  title: 'The key could not check that it’s you.',
  next: 'Its PIN may be missing or blocked. Set a PIN or take out the key, plug it in again, and try again.',
  again: true,
  mayBePin: true,
};

const keyTrouble: Explanation = {
  kind: 'key-trouble',
  title: 'The key did not answer as it should.',
  next: 'Take it out, plug it in again, and try again.',
  again: true,
  mayBePin: true,
};

function explainProblem(problem: Problem, purpose: Purpose): Explanation {
  const command = commandFor(purpose);
  switch (problem.name) {
    case 'interaction-over':
    case 'session-over':
      return purpose === 'sign-in'
        ? {
            kind: problem.name,
            title: 'This sign-in is over.',
            next: `Its link was used or is too old. Run \`${command}\` again.`,
            again: false,
          }
        : {
            kind: problem.name,
            title: said(problem.title) ?? 'This enrollment is over.',
            next: said(problem.detail) ?? `Run \`${command}\` again.`,
            again: false,
          };
    case 'unknown-key':
      return purpose === 'sign-in'
        ? {
            kind: 'unknown-key',
            title: 'This key isn’t enrolled here.',
            next: 'Try again with a key that is, or enroll this one with `vouch enroll` and an invitation.',
            again: true,
          }
        : {
            kind: 'unknown-key',
            title: 'This isn’t a key that you have enrolled.',
            next: 'Plug in the key that you already use here, and try again.',
            again: true,
          };
    case 'other-browser':
      return {
        kind: 'other-browser',
        title: 'Another browser opened this page first.',
        next: `If that was not you, somebody else saw this address. Your terminal asks about words that you cannot see here: answer no, then run \`${command}\` again.`,
        again: false,
      };
    case 'challenge-used':
      return {
        kind: 'challenge-used',
        title: 'That touch came too late, or was sent twice.',
        next: 'Nothing is wrong with your key. Try again.',
        again: true,
      };
    case 'user-not-verified':
      return pinTrouble;
    case 'counter-went-back':
      return {
        kind: 'counter-went-back',
        title: 'This key may have been copied, so it was refused.',
        next: said(problem.detail) ?? 'Tell your administrator before you use it again.',
        again: false,
      };
    case 'key-refused':
      return {
        kind: 'key-refused',
        title: said(problem.title) ?? 'This kind of key isn’t accepted here.',
        next: said(problem.detail) ?? 'Plug in another key and try again, or ask your administrator which ones are.',
        again: true,
      };
    case 'assertion-refused':
      return {
        kind: 'assertion-refused',
        title: said(problem.title) ?? 'The server did not accept the key’s answer.',
        next: said(problem.detail) ?? 'Try again. If it happens again, tell your administrator.',
        again: true,
      };
    case 'invitation-refused':
      return {
        kind: 'invitation-refused',
        title: said(problem.title) ?? 'This invitation can’t be used.',
        next:
          said(problem.detail) ??
          'Check the code and try again. If it is right, it is used up or too old: ask for a new one.',
        again: false,
      };
    case 'too-many-requests':
      return {
        kind: 'too-many-requests',
        title: 'Too many tries in a short time.',
        next: problem.retryAfterSeconds
          ? `Wait ${inWords(problem.retryAfterSeconds)}, then try again.`
          : 'Wait a minute, then try again.',
        again: true,
      };
  }
  if (problem.status >= 500) {
    return {
      kind: 'server-error',
      title: 'The server has a problem. It isn’t you or your key.',
      next: said(problem.detail) ?? 'Try again in a moment. If it stays so, tell your administrator.',
      again: true,
    };
  }
  return {
    kind: problem.name || 'refused',
    title: said(problem.title) ?? 'The server did not accept this.',
    next: said(problem.detail) ?? `Run \`${command}\` again. If it happens again, tell your administrator.`,
    again: false,
  };
}

/** The server's own words, as a sentence. */
function said(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

function commandFor(purpose: Purpose): string {
  return purpose === 'sign-in' ? 'vouch login' : 'vouch enroll';
}

function inWords(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
