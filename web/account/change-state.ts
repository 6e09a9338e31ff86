import type { CeremonyEvent } from '../ui/ceremony-event.ts';
import { failed, verifying } from '../ui/ceremony-status.ts';
import type { Explanation } from '../ui/explain/explanation.ts';
import type { Status } from '../ui/status.tsx';
import type { ChangeWords } from './change.ts';

export type ChangeState =
  /** The person has not said yes yet. */
  | { at: 'asking' }
  | { at: 'working' }
  /** The server wants a touch first, and the browser a press before that. */
  | { at: 'touch-wanted' }
  | { at: 'touching' }
  | { at: 'verifying' }
  /** @param touching whether the touch failed, and not the change */
  | { at: 'failed'; explanation: Explanation; touching: boolean };

export type ChangeEvent = CeremonyEvent | { type: 'working' };

export function changeReducer(state: ChangeState, event: ChangeEvent): ChangeState {
  switch (event.type) {
    case 'working':
      return { at: 'working' };
    case 'touching':
      return { at: 'touching' };
    case 'gesture-wanted':
      return { at: 'touch-wanted' };
    case 'touched':
      return state.at === 'touching' ? { at: 'verifying' } : state;
    case 'failed': {
      const touching = state.at === 'touching' || state.at === 'verifying';
      return { at: 'failed', explanation: event.explanation, touching };
    }
  }
}

/** Whether a press can go on from here. */
export function canPress(state: ChangeState): boolean {
  return state.at === 'asking' || state.at === 'touch-wanted' || (state.at === 'failed' && state.explanation.canRetry);
}

export function isTouchable(state: ChangeState): boolean {
  return state.at === 'touching' || state.at === 'touch-wanted';
}

export function changeStatus(state: ChangeState, { title, text }: ChangeWords): Status {
  switch (state.at) {
    case 'asking':
      return { id: 'asking', mood: 'rest', title, text };
    case 'working':
      return { id: 'working', mood: 'rest', title: 'One moment…' };
    case 'touch-wanted':
      return {
        id: 'touch-wanted',
        mood: 'rest',
        title: 'First, one of your keys',
        text: 'Plug it in, then press the button. This proves that it’s you.',
      };
    case 'touching':
      return { id: 'touching', mood: 'touch', title: 'Touch one of your keys', text: 'This proves that it’s you.' };
    case 'verifying':
      return verifying();
    case 'failed':
      return failed(state.explanation);
  }
}
