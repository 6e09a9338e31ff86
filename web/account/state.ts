import { failed, touchToSignIn, verifying } from '../ui/ceremony-status.ts';
import type { Explanation } from '../ui/explain/explanation.ts';
import type { Status } from '../ui/status.tsx';
import type { Account, Ending, History } from './account.ts';
import type { Change } from './change.ts';

export type View = 'keys' | 'sessions' | 'history';

/** What the person is doing instead of looking at a list. */
export type Task = { kind: 'add'; name?: string | undefined } | { kind: 'change'; change: Change };

/** Why nobody is signed in: nobody used the page, the session is over for another reason, or the person signed out. */
export type SignedOutWhy = 'idle' | 'over' | 'signed-out';

export type State =
  /** After a reload: perhaps the session is still there. */
  | { at: 'loading' }
  | { at: 'signed-out'; why: SignedOutWhy | undefined }
  | { at: 'touching' }
  | { at: 'verifying' }
  | { at: 'failed'; explanation: Explanation }
  | {
      at: 'open';
      account: Account;
      view: View;
      task: Task | undefined;
      /** What was done last, for a moment. */
      said: string | undefined;
      /** The element that gets the focus when a task is over. */
      returnTo: string | undefined;
    }
  /** "This was not me": everything has ended. */
  | { at: 'reported'; ending: Ending };

export type Event =
  | { type: 'touching' }
  | { type: 'touched' }
  | { type: 'failed'; explanation: Explanation }
  /** @param task what to begin with */
  | { type: 'loaded'; account: Account; task?: Task }
  | { type: 'signed-out'; why: SignedOutWhy }
  | { type: 'viewing'; view: View }
  | { type: 'beginning'; task: Task; returnTo: string }
  | { type: 'left' }
  /** Something was changed, and loaded anew. */
  | { type: 'done'; account: Account; said: string }
  | { type: 'older'; history: History }
  | { type: 'reported'; ending: Ending };

/** @param mayBeSignedIn whether this page has had a session */
export function initial(mayBeSignedIn: boolean): State {
  return mayBeSignedIn ? { at: 'loading' } : { at: 'signed-out', why: undefined };
}

export function reducer(state: State, event: Event): State {
  switch (event.type) {
    case 'touching':
      return { at: 'touching' };
    case 'touched':
      return state.at === 'touching' ? { at: 'verifying' } : state;
    case 'failed':
      return { at: 'failed', explanation: event.explanation };
    case 'signed-out':
      return { at: 'signed-out', why: event.why };
    case 'reported':
      return { at: 'reported', ending: event.ending };
    case 'loaded':
      return { ...opened, account: event.account, task: event.task };
  }
  if (state.at !== 'open') return state;
  switch (event.type) {
    case 'viewing':
      return { ...state, view: event.view, said: undefined, returnTo: undefined };
    case 'beginning':
      return { ...state, task: event.task, said: undefined, returnTo: event.returnTo };
    case 'left':
      return { ...state, task: undefined };
    case 'done':
      return { ...state, account: event.account, task: undefined, said: event.said };
    case 'older': {
      const { events } = state.account.history;
      const history = { ...event.history, events: [...events, ...event.history.events] };
      return { ...state, account: { ...state.account, history } };
    }
  }
}

const opened = { at: 'open', view: 'keys', task: undefined, said: undefined, returnTo: undefined } as const;

/** What the page says until somebody is signed in. */
export function statusOf(state: State): Status | undefined {
  switch (state.at) {
    case 'signed-out':
      return signedOut(state.why);
    case 'touching':
      return touchToSignIn;
    case 'verifying':
      return verifying();
    case 'failed':
      return failed(state.explanation);
    default:
      return undefined;
  }
}

function signedOut(why: SignedOutWhy | undefined): Status {
  switch (why) {
    case 'idle':
      return {
        id: 'idle',
        mood: 'off',
        title: 'You were signed out after 15 minutes.',
        text: 'Nobody used this page. Sign in again to go on.',
      };
    case 'over':
      return {
        id: 'over',
        mood: 'off',
        title: 'You are signed out.',
        text: 'This page’s session is over, or you signed in again in another tab.',
      };
    case 'signed-out':
      return { id: 'signed-out', mood: 'off', title: 'You are signed out.', text: 'You can close this page.' };
    default:
      return {
        id: 'ready',
        mood: 'rest',
        title: 'Have your security key ready',
        text: 'See and change your keys and sessions. Plug your key in, then press the button.',
      };
  }
}
