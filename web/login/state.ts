import type { CeremonyEvent } from '../ui/ceremony-event.ts';
import { failed, touchToSignIn, verifying } from '../ui/ceremony-status.ts';
import type { Explanation } from '../ui/explain/explanation.ts';
import type { Status } from '../ui/status.tsx';

/** The answer to `GET /login/:uid/details`. */
export interface Details {
  client: string;
  machine: string | null;
  /** The terminal shows them too. */
  words: string;
  /** Whether the person carries the code to the terminal, because the browser cannot come back to it. */
  paste?: boolean;
  requestedAt: string;
  expiresAt: string;
  host: string;
}

export type State =
  | { at: 'loading'; details?: undefined }
  /** The browser wants the person to press a button before it talks to the key. */
  | { at: 'ready'; details: Details }
  | { at: 'touching'; details: Details }
  | { at: 'verifying'; details: Details }
  | { at: 'failed'; details: Details | undefined; explanation: Explanation }
  /** On the way back to the terminal: signed in, or cancelled. */
  | { at: 'leaving'; details: Details | undefined; signedIn: boolean }
  /** Signed in, and the code is shown. */
  | ({ at: 'pasting'; details: Details | undefined } & Pasting)
  /** At the end of a sign-in by paste, of which the terminal cannot tell: the code's time is over, or the person cancelled. */
  | { at: 'ended'; details: Details | undefined; how: 'code-over' | 'cancelled' };

/** The code for the terminal, and until when the server takes it, in milliseconds of this browser's clock. */
export interface Pasting {
  paste: string;
  pasteUntil: number;
}

export type Event =
  | CeremonyEvent
  | { type: 'loading' }
  | { type: 'arrived'; details: Details }
  | { type: 'accepted' }
  | { type: 'cancelling' }
  | ({ type: 'shown' } & Pasting)
  | { type: 'ended'; how: 'code-over' | 'cancelled' }
  /** Leaving failed. */
  | { type: 'stuck'; explanation: Explanation };

export const initial: State = { at: 'loading' };

export function reducer(state: State, event: Event): State {
  // Nothing else stops a page that is leaving, such as the end of the ceremony that it abandoned.
  if (state.at === 'leaving' && !['stuck', 'shown', 'ended'].includes(event.type)) return state;
  if (state.at === 'ended' || (state.at === 'pasting' && event.type !== 'ended')) return state;
  switch (event.type) {
    case 'loading':
      return initial;
    case 'arrived':
      // Ask for the touch at once: a browser that wants a press first reports it.
      return { at: 'touching', details: event.details };
    case 'gesture-wanted':
      return state.details ? { at: 'ready', details: state.details } : state;
    case 'touching':
      return state.details ? { at: 'touching', details: state.details } : state;
    case 'touched':
      return state.at === 'touching' ? { at: 'verifying', details: state.details } : state;
    case 'accepted':
      return { at: 'leaving', details: state.details, signedIn: true };
    case 'cancelling':
      return { at: 'leaving', details: state.details, signedIn: false };
    case 'shown':
      return { at: 'pasting', details: state.details, paste: event.paste, pasteUntil: event.pasteUntil };
    case 'ended':
      return { at: 'ended', details: state.details, how: event.how };
    case 'failed':
    case 'stuck':
      return { at: 'failed', details: state.details, explanation: event.explanation };
  }
}

export function statusOf(state: State): Status | undefined {
  switch (state.at) {
    case 'loading':
      return undefined;
    case 'ready':
      return {
        id: 'ready',
        mood: 'rest',
        title: 'Have your security key ready',
        text: 'Plug it in, then press the button.',
      };
    case 'touching':
      return touchToSignIn;
    case 'verifying':
      return verifying();
    case 'failed':
      return failed(state.explanation);
    case 'leaving':
      if (state.signedIn)
        return { id: 'signed-in', mood: 'done', title: 'You’re signed in.', ...backTo(state.details) };
      return { id: 'cancelling', mood: 'rest', title: 'You cancelled. Nothing happened.', ...backTo(state.details) };
    case 'pasting':
      return { id: 'pasting', mood: 'done', title: 'Paste this code' };
    case 'ended':
      return state.how === 'cancelled'
        ? {
            id: 'cancelled-paste',
            mood: 'off',
            title: 'You cancelled. Nothing happened.',
            text: 'Your terminal still waits: press Ctrl-C there. You can close this page.',
          }
        : {
            id: 'code-over',
            mood: 'rest',
            title: 'The time for this code is over.',
            text: 'If your terminal does not say that you are signed in, run `vouch login --paste` again. You can close this page.',
          };
  }
}

/** The browser goes back to a terminal that listens; a code to paste is shown here. */
function backTo(details: Details | undefined): { text?: string } {
  return details?.paste ? {} : { text: 'Taking you back to your terminal…' };
}

/** Whether a key may be touched in this state: then the person has to know on whose page, and for whose request. */
export function isTouchable(state: State): state is Extract<State, { at: 'ready' | 'touching' }> {
  return state.at === 'ready' || state.at === 'touching';
}
