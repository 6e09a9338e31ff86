import { awsSentence } from '../ui/aws-sentence.ts';
import type { CeremonyEvent } from '../ui/ceremony-event.ts';
import { failed, verifying } from '../ui/ceremony-status.ts';
import type { Explanation } from '../ui/explain/explanation.ts';
import type { Status } from '../ui/status.tsx';

/** The answer to `POST /enroll/:ticket/open` before the terminal has approved this page. */
export interface Opened {
  approved: false;
  words: string;
  /** The page's secret, for the first page that opens it. */
  page?: string;
}

/** The same once the terminal has approved it. */
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
  /** The person's present keys, if the new one takes their place. */
  replaces?: { name: string; model: string | null }[];
}

/** The answer to `POST /enroll/:ticket/verify`. */
export interface Enrolled {
  email: string;
  key: { name: string; model: string | null };
  /** After keys were replaced: until when AWS may honour what their sessions got, ISO 8601. */
  awsCredentialsUntil?: string | null;
}

/** People who have a key already confirm with it first. Then comes the new key. */
export type Step = 'confirm' | 'enrol';

export type State =
  /** The person types the invitation code: there is no ticket yet. */
  | { at: 'asking'; ticket?: undefined; details?: undefined; busy: boolean; refusal: Explanation | undefined }
  | { at: 'opening'; ticket: string; details?: undefined }
  /** The terminal asks whether this page shows the right words. */
  | { at: 'waiting'; ticket: string; details?: undefined; words: string }
  | { at: 'ready'; ticket: string; details: Details; step: Step }
  | { at: 'touching'; ticket: string; details: Details; step: Step }
  | { at: 'verifying'; ticket: string; details: Details; step: Step }
  | { at: 'failed'; ticket: string; details: Details | undefined; step: Step; explanation: Explanation }
  | { at: 'done'; ticket: string; details: Details; enrolled: Enrolled }
  | { at: 'cancelling'; ticket: string; details: Details | undefined; step: Step }
  | { at: 'cancelled'; ticket: string; details: Details | undefined };

export type Event =
  | CeremonyEvent
  | { type: 'submitted' }
  | { type: 'refused'; explanation: Explanation }
  | { type: 'opening'; ticket: string }
  | { type: 'waiting'; words: string }
  | { type: 'opened'; details: Details }
  | { type: 'confirmed' }
  | { type: 'confirmation-wanted' }
  | { type: 'enrolled'; enrolled: Enrolled }
  | { type: 'cancelling' }
  | { type: 'cancelled' }
  /** Cancelling failed. */
  | { type: 'stuck'; explanation: Explanation };

export function initial(ticket: string | undefined): State {
  return ticket === undefined ? { at: 'asking', busy: false, refusal: undefined } : { at: 'opening', ticket };
}

export function reducer(state: State, event: Event): State {
  if (event.type === 'opening') return { at: 'opening', ticket: event.ticket };
  if (state.at === 'asking') {
    if (event.type === 'submitted') return { at: 'asking', busy: true, refusal: undefined };
    if (event.type === 'refused') return { at: 'asking', busy: false, refusal: event.explanation };
    return state;
  }
  if (state.at === 'done' || state.at === 'cancelled') return state;
  const { ticket } = state;
  if (event.type === 'cancelling') return { at: 'cancelling', ticket, details: state.details, step: stepOf(state) };
  if (event.type === 'cancelled') return { at: 'cancelled', ticket, details: state.details };
  // A key that the server took before it heard of the cancel is enrolled. Nothing else counts then, such as the end of the ceremony
  // that the page gave up.
  if (state.at === 'cancelling' && event.type !== 'stuck' && event.type !== 'enrolled') return state;
  if (event.type === 'failed' || event.type === 'stuck') {
    return { at: 'failed', ticket, details: state.details, step: stepOf(state), explanation: event.explanation };
  }
  if (event.type === 'waiting') return { at: 'waiting', ticket, words: event.words };
  if (event.type === 'opened') {
    return {
      at: 'ready',
      ticket,
      details: event.details,
      step: event.details.needsConfirmation ? 'confirm' : 'enrol',
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
      return { at: 'ready', ticket, details, step: 'enrol' };
    case 'confirmation-wanted':
      return { at: 'ready', ticket, details: { ...details, needsConfirmation: true }, step: 'confirm' };
    case 'enrolled':
      return { at: 'done', ticket, details, enrolled: event.enrolled };
    default:
      return state;
  }
}

/** Whether a key may be touched in this state: then the person has to know on whose page, and for whose request. */
export function isTouchable(state: State): state is Extract<State, { at: 'ready' | 'touching' }> {
  return state.at === 'ready' || state.at === 'touching';
}

export function stepOf(state: State): Step {
  return 'step' in state ? state.step : 'enrol';
}

/** Whether keys stop working when the new one is enrolled. */
export function replacesKeys({ replaces = [] }: Details): boolean {
  return replaces.length > 0;
}

/** "Step 1 of 2", only for people who have a key already. */
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
        text: 'This page then continues by itself.',
      };
    case 'ready':
      if (state.step === 'confirm') {
        return {
          id: 'confirm-ready',
          mood: 'rest',
          title: 'First, the key you have',
          text: 'Plug it in, then press the button.',
        };
      }
      return state.details.needsConfirmation
        ? {
            id: 'ready',
            mood: 'rest',
            title: 'Now the new key',
            text: 'Unplug the first key and plug in the new one, then press the button.',
          }
        : {
            id: 'ready',
            mood: 'rest',
            title: 'Have your new security key ready',
            text: 'Plug it in, then press the button.',
          };
    case 'touching':
      return state.step === 'confirm'
        ? {
            id: 'confirm-touching',
            mood: 'touch',
            title: 'Touch the key you have',
            text: 'This proves that it’s you. The new key comes next.',
          }
        : {
            id: 'touching',
            mood: 'touch',
            title: state.details.needsConfirmation ? 'Now touch the new key' : 'Touch your new security key',
            text: 'If your browser asks for a PIN, enter it or choose one. If it asks to see the key’s make and model, allow it.',
          };
    case 'verifying':
      return verifying(state.step);
    case 'failed':
      return failed(state.explanation, state.step);
    case 'cancelling':
      return { id: 'cancelling', mood: 'off', title: 'Cancelling…' };
    case 'cancelled':
      return {
        id: 'cancelled',
        mood: 'off',
        title: 'You cancelled. Nothing happened.',
        text: 'No key was enrolled, and your invitation is still good.',
      };
    case 'done': {
      return {
        id: 'done',
        mood: 'done',
        title: 'Your key is enrolled.',
        text: doneText(state.details, state.enrolled),
      };
    }
  }
}

function doneText(details: Details, { email, key, awsCredentialsUntil = null }: Enrolled): string {
  return [
    `“${key.name}”${key.model ? ` (${key.model})` : ''} now signs in ${email}.`,
    replacesKeys(details) && 'What you had before no longer works, and your sessions have ended.',
    awsSentence(awsCredentialsUntil, new Date()),
    // Nobody's terminal began this one, so none knows the server yet.
    details.machine === null
      ? `Next, in a terminal: \`vouch login --server ${location.origin}\``
      : 'Go back to your terminal and run `vouch login`.',
  ]
    .filter(Boolean)
    .join(' ');
}
