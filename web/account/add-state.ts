import { failed, verifying } from '../ui/ceremony-status.ts';
import type { Explanation } from '../ui/explain/explanation.ts';
import type { Status } from '../ui/status.tsx';

/** The touch of a key that the person has, if the last one is too long ago; then the new key. */
export type Step = 'confirm' | 'enrol';

export type AddState =
  /** The person chooses a name. */
  | { at: 'naming'; trouble: string | undefined }
  /** Waits for a press: the browser wants one, or the person has to change the keys. */
  | { at: 'ready'; step: Step; twoSteps: boolean }
  | { at: 'touching'; step: Step; twoSteps: boolean }
  | { at: 'verifying'; step: Step; twoSteps: boolean }
  | { at: 'failed'; step: Step; twoSteps: boolean; explanation: Explanation };

export type AddEvent =
  | { type: 'nameless'; trouble: string }
  | { type: 'ready'; step: Step }
  | { type: 'touching'; step: Step }
  | { type: 'touched' }
  | { type: 'failed'; explanation: Explanation };

export const initialAdd: AddState = { at: 'naming', trouble: undefined };

export function addReducer(state: AddState, event: AddEvent): AddState {
  const twoSteps = 'twoSteps' in state && state.twoSteps;
  switch (event.type) {
    case 'nameless':
      return { at: 'naming', trouble: event.trouble };
    case 'ready':
    case 'touching':
      return { at: event.type, step: event.step, twoSteps: twoSteps || event.step === 'confirm' };
    case 'touched':
      return state.at === 'touching' ? { ...state, at: 'verifying' } : state;
    case 'failed':
      return { at: 'failed', step: stepOf(state), twoSteps, explanation: event.explanation };
  }
}

export function stepOf(state: AddState): Step {
  return 'step' in state ? state.step : 'enrol';
}

export function isTouchable(state: AddState): boolean {
  return state.at === 'ready' || state.at === 'touching';
}

export function addStatus(state: AddState): Status | undefined {
  if (state.at === 'naming') return undefined;
  const { step } = state;
  const progress = state.twoSteps ? `Step ${step === 'confirm' ? 1 : 2} of 2` : undefined;
  return { ...wordsOf(state), progress };
}

function wordsOf(state: Extract<AddState, { step: Step }>): Status {
  const { step } = state;
  switch (state.at) {
    case 'ready':
      return step === 'confirm'
        ? {
            id: 'confirm-ready',
            mood: 'rest',
            title: 'First, a key that you have',
            text: 'Plug it in, then press the button. This proves that it’s you.',
          }
        : {
            id: 'ready',
            mood: 'rest',
            title: 'Now the new key',
            text: 'Unplug the other one and plug in the new one, then press the button.',
          };
    case 'touching':
      return step === 'confirm'
        ? {
            id: 'confirm-touching',
            mood: 'touch',
            title: 'Touch a key that you have',
            text: 'This proves that it’s you. The new key comes next.',
          }
        : {
            id: 'touching',
            mood: 'touch',
            title: 'Touch the new key',
            text: 'If your browser asks for a PIN, enter it or choose one. If it asks to see the key’s make and model, allow it.',
          };
    case 'verifying':
      return verifying(step);
    case 'failed':
      return failed(state.explanation, step);
  }
}
