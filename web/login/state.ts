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
  | { at: 'leaving'; details: Details | undefined; signedIn: boolean };

export type Event =
  | CeremonyEvent
  | { type: 'loading' }
  | { type: 'arrived'; details: Details }
  | { type: 'accepted' }
  | { type: 'cancelling' }
  /** Leaving failed. */
  | { type: 'stuck'; explanation: Explanation };

export const initial: State = { at: 'loading' };

export function reducer(state: State, event: Event): State {
  // Nothing else stops a page that is leaving, such as the end of the ceremony that it abandoned.
  if (state.at === 'leaving' && event.type !== 'stuck') return state;
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
      return state.signedIn
        ? { id: 'signed-in', mood: 'done', title: 'You’re signed in.', text: 'Taking you back to your terminal…' }
        : {
            id: 'cancelling',
            mood: 'rest',
            title: 'You cancelled. Nothing happened.',
            text: 'Taking you back to your terminal…',
          };
  }
}

/** Whether a key may be touched in this state: then the person has to know on whose page, and for whose request. */
export function isTouchable(state: State): state is Extract<State, { at: 'ready' | 'touching' }> {
  return state.at === 'ready' || state.at === 'touching';
}
