import type { Explanation } from '../ui/explain.ts';
import type { Status } from '../ui/layout.tsx';

/** `POST /enroll/:ticket/open`, before the terminal has said that this is its page. */
export interface Opened {
  approved: false;
  words: string;
  /** The page's secret, for the first that opens it. */
  page?: string;
}

/** The same, afterwards. */
export interface Details {
  approved: true;
  page?: string;
  email: string;
  client: string;
  machine: string | null;
  requestedAt: string;
  expiresAt: string;
  host: string;
  needsConfirmation: boolean;
}

/** `POST /enroll/:ticket/verify` */
export interface Enrolled {
  email: string;
  key: { name: string; model: string | null };
}

/** A person who has a key proves it first; then comes the key that is new. */
export type Step = 'confirm' | 'enroll';

export type State =
  /** No ticket yet: the person types the invitation code. */
  | { at: 'asking'; ticket?: undefined; details?: undefined; busy: boolean; refusal: Explanation | undefined }
  | { at: 'opening'; ticket: string; details?: undefined }
  /** The terminal asks about the words that this page shows. */
  | { at: 'waiting'; ticket: string; details?: undefined; words: string }
  | { at: 'ready'; ticket: string; details: Details; step: Step }
  | { at: 'touching'; ticket: string; details: Details; step: Step }
  | { at: 'verifying'; ticket: string; details: Details; step: Step }
  | { at: 'failed'; ticket: string; details: Details | undefined; step: Step; explanation: Explanation }
  | { at: 'done'; ticket: string; details: Details; enrolled: Enrolled };

export type Event =
  | { type: 'submitted' }
  | { type: 'refused'; explanation: Explanation }
  | { type: 'opening'; ticket: string }
  | { type: 'waiting'; words: string }
  | { type: 'opened'; details: Details }
  | { type: 'gesture-wanted' }
  | { type: 'touching' }
  | { type: 'touched' }
  | { type: 'confirmed' }
  | { type: 'confirmation-wanted' }
  | { type: 'enrolled'; enrolled: Enrolled }
  | { type: 'failed'; explanation: Explanation };

export function initial(ticket: string | undefined): State {
  return ticket === undefined ? { at: 'asking', busy: false, refusal: undefined } : { at: 'opening', ticket };
}

export function next(state: State, event: Event): State {
  if (event.type === 'opening') return { at: 'opening', ticket: event.ticket };
  if (state.at === 'asking') {
    if (event.type === 'submitted') return { at: 'asking', busy: true, refusal: undefined };
    if (event.type === 'refused') return { at: 'asking', busy: false, refusal: event.explanation };
    return state;
  }
  if (state.at === 'done') return state;
  const { ticket } = state;
  if (event.type === 'failed') {
    return { at: 'failed', ticket, details: state.details, step: stepOf(state), explanation: event.explanation };
  }
  if (event.type === 'waiting') return { at: 'waiting', ticket, words: event.words };
  if (event.type === 'opened') {
    return {
      at: 'ready',
      ticket,
      details: event.details,
      step: event.details.needsConfirmation ? 'confirm' : 'enroll',
    };
  }
  if (!state.details) return state;
  const { details } = state;
  switch (event.type) {
    case 'gesture-wanted':
      return { at: 'ready', ticket, details, step: stepOf(state) };
    case 'touching':
      return { at: 'touching', ticket, details, step: stepOf(state) };
    case 'touched':
      return { at: 'verifying', ticket, details, step: stepOf(state) };
    case 'confirmed':
      return { at: 'ready', ticket, details, step: 'enroll' };
    case 'confirmation-wanted':
      return { at: 'ready', ticket, details: { ...details, needsConfirmation: true }, step: 'confirm' };
    case 'enrolled':
      return { at: 'done', ticket, details, enrolled: event.enrolled };
    default:
      return state;
  }
}

export function stepOf(state: State): Step {
  return 'step' in state ? state.step : 'enroll';
}

/** "Step 1 of 2", for those who have a key already. */
export function progressOf(state: State): string | undefined {
  if (!state.details?.needsConfirmation || !('step' in state)) return undefined;
  return state.step === 'confirm' ? 'Step 1 of 2' : 'Step 2 of 2';
}

export function statusOf(state: State): Status | undefined {
  switch (state.at) {
    case 'asking':
    case 'opening':
      return undefined;
    case 'waiting':
      return {
        id: 'waiting',
        mood: 'rest',
        title: 'Answer in your terminal',
        text: 'This page then goes on by itself.',
      };
    case 'ready':
      if (state.step === 'confirm') {
        return {
          id: 'confirm-ready',
          mood: 'rest',
          title: 'First, the key you already have',
          text: 'Plug it in, then press the button. It shows that this is you.',
        };
      }
      return state.details.needsConfirmation
        ? {
            id: 'ready',
            mood: 'rest',
            title: 'Now the new key',
            text: 'Take the first key out and plug the new one in, then press the button.',
          }
        : {
            id: 'ready',
            mood: 'rest',
            title: 'Have your new security key at hand',
            text: 'Plug it in, then press the button.',
          };
    case 'touching':
      return state.step === 'confirm'
        ? {
            id: 'confirm-touching',
            mood: 'touch',
            title: 'Touch the key you already have',
            text: 'It shows that this is you. The new key comes next.',
          }
        : {
            id: 'touching',
            mood: 'touch',
            title: state.details.needsConfirmation ? 'Now touch the new key' : 'Touch your new security key',
            text: 'Enter its PIN if your browser asks, or choose one. If it asks to see the key’s make and model, allow it.',
          };
    case 'verifying':
      return { id: `${state.step}-verifying`, mood: 'rest', title: 'Checking …' };
    case 'failed':
      return {
        id: `${state.step}-${state.explanation.kind}`,
        mood: 'trouble',
        title: state.explanation.title,
        text: state.explanation.next,
      };
    case 'done': {
      const { email, key } = state.enrolled;
      return {
        id: 'done',
        mood: 'done',
        title: 'Your key is enrolled.',
        text: `“${key.name}”${key.model ? ` (${key.model})` : ''} now signs in ${email}. Go back to your terminal and run \`vouch login\`.`,
      };
    }
  }
}
