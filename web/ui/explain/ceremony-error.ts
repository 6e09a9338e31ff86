import { type CeremonyError, tooQuickForAPerson } from '../ceremony.ts';
import { alreadyEnrolled, commandFor, type Explanation, type Purpose, pinTrouble } from './explanation.ts';

/** What a browser's or key's refusal means, by the DOMException's name. */
export function explainCeremony(error: CeremonyError, purpose: Purpose): Explanation {
  switch (error.reason) {
    case 'NotAllowedError':
    case 'AbortError':
      if (tookAllItsTime(error)) return timedOut(purpose);
      return error.reason === 'NotAllowedError' && tooQuickForAPerson(error) ? stopped(purpose) : cancelled(purpose);
    case 'TimeoutError':
      return timedOut(purpose);
    case 'InvalidStateError':
      // While signing in, older Firefoxes mean a missing or blocked PIN.
      return purpose === 'enrol' ? alreadyEnrolled : pinTrouble;
    case 'OperationError':
      // Chromium serves one request at a time.
      return {
        kind: 'busy',
        mood: 'warning',
        title: 'Another page is already asking for a key.',
        advice: 'Finish there, or close that page, then try again.',
        canRetry: true,
      };
    case 'ConstraintError':
      return purpose === 'enrol' ? unfitOrFull : pinTrouble;
    case 'NotSupportedError':
      return unfit('Vouch needs a FIDO2 key. Plug in another key and try again.');
    case 'SecurityError':
      return {
        kind: 'wrong-address',
        mood: 'refused',
        title: 'This page’s address isn’t the one that keys are enrolled for.',
        advice: `Close it, and run \`${commandFor(purpose)}\` again. If that brings you back here, tell your administrator.`,
        canRetry: false,
      };
    default:
      return {
        kind: 'key-trouble',
        mood: 'warning',
        title: 'The key did not answer as it should.',
        advice: 'Unplug it, plug it in again, and try again.',
        canRetry: true,
        mayBePin: true,
      };
  }
}

/** Timers differ by a little: half a second short of the time-out still counts. */
function tookAllItsTime({ elapsed, timeout }: CeremonyError): boolean {
  return elapsed >= timeout - 500;
}

function timedOut(purpose: Purpose): Explanation {
  return {
    kind: 'timed-out',
    mood: 'warning',
    title: 'Nobody touched the key in time.',
    advice: 'Have your key ready, then try again.',
    canRetry: true,
    mayBePin: true,
    mayBeFull: purpose === 'enrol',
  };
}

/**
 * Chromium, Firefox and Safari use one name and one message for a cancel, a time-out, a key with no credential for this server,
 * a missing or blocked PIN, and a full key (https://www.w3.org/TR/webauthn-3/#sctn-assertion-privacy says why). Their own
 * dialog says which it is, and the person then closes it; the page can only name the others.
 */
function cancelled(purpose: Purpose): Explanation {
  return {
    kind: 'cancelled',
    mood: 'off',
    title: 'You cancelled. Nothing happened.',
    advice: `Try again when you are ready. ${unlessCancelled(purpose)}`,
    canRetry: true,
    mayBePin: true,
    mayBeFull: purpose === 'enrol',
  };
}

/** The same sooner than a person could cancel. */
function stopped(purpose: Purpose): Explanation {
  return {
    ...cancelled(purpose),
    kind: 'stopped',
    mood: 'warning',
    title: 'The browser stopped before the key answered.',
    advice: `If you cancelled, try again. ${unlessCancelled(purpose)}`,
  };
}

function unlessCancelled(purpose: Purpose): string {
  return purpose === 'enrol'
    ? 'If you didn’t cancel, the key may have no PIN yet, or no room left: see below.'
    : 'If you didn’t cancel, this key isn’t enrolled here: plug in one that is.';
}

function unfit(advice: string): Explanation {
  return {
    kind: 'key-unfit',
    mood: 'refused',
    title: 'This key can’t do what is needed here.',
    advice,
    canRetry: true,
  };
}

/** Windows also reports a full key like this (webauthn.h, WebAuthNGetErrorName). */
const unfitOrFull: Explanation = {
  ...unfit(
    'Vouch needs a FIDO2 key with a PIN or a fingerprint. If yours is one, it has no PIN yet, or no room left: see below. Otherwise use another key.',
  ),
  mayBePin: true,
  mayBeFull: true,
};
