import type { Explanation } from '../ui/explain.ts';
import type { Status } from '../ui/layout.tsx';

/** `GET /login/:uid/details` */
export interface Details {
  client: string;
  machine: string | null;
  /** What the terminal shows as well. */
  words: string;
  requestedAt: string;
  expiresAt: string;
  host: string;
}

export type State =
  | { at: 'loading'; details?: undefined }
  /** The browser wants a press before it speaks to the key. */
  | { at: 'ready'; details: Details }
  | { at: 'touching'; details: Details }
  | { at: 'verifying'; details: Details }
  | { at: 'failed'; details: Details | undefined; explanation: Explanation }
  /** On the way to the terminal: signed in, or having cancelled. */
  | { at: 'leaving'; details: Details | undefined; signedIn: boolean };

export type Event =
  | { type: 'loading' }
  | { type: 'arrived'; details: Details }
  | { type: 'gesture-wanted' }
  | { type: 'touching' }
  | { type: 'touched' }
  | { type: 'accepted' }
  | { type: 'cancelling' }
  | { type: 'failed'; explanation: Explanation }
  /** On the way out, and it did not work. */
  | { type: 'stuck'; explanation: Explanation };

export const initial: State = { at: 'loading' };

export function next(state: State, event: Event): State {
  // Whoever is on the way out stays on it: the ceremony that was given up for it has nothing to say any more.
  if (state.at === 'leaving' && event.type !== 'stuck') return state;
  switch (event.type) {
    case 'loading':
      return initial;
    case 'arrived':
      // The touch is asked for at once; if the browser wants a press first, it says so.
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
        title: 'Have your security key at hand',
        text: 'Plug it in, then press the button.',
      };
    case 'touching':
      return {
        id: 'touching',
        mood: 'touch',
        title: 'Touch your security key',
        text: 'Plug it in. If your browser asks for its PIN, enter that first.',
      };
    case 'verifying':
      return { id: 'verifying', mood: 'rest', title: 'Checking …' };
    case 'failed':
      return {
        id: state.explanation.kind,
        mood: 'trouble',
        title: state.explanation.title,
        text: state.explanation.next,
      };
    case 'leaving':
      return state.signedIn
        ? { id: 'signed-in', mood: 'done', title: 'You’re signed in.', text: 'Taking you back to your terminal …' }
        : { id: 'cancelling', mood: 'rest', title: 'Cancelled.', text: 'Taking you back to your terminal …' };
  }
}
