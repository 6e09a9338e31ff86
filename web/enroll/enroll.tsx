import { useEffect, useReducer } from 'preact/hooks';
import { registerKey, useKey } from '../ui/ceremony.ts';
import { explain, wantsGesture } from '../ui/explain.ts';
import { Page, PinHelp, PrimaryButton, Request, StatusRegion, TerminalWords, useFocusOn } from '../ui/layout.tsx';
import { call, ProblemError } from '../ui/problem.ts';
import { unsupported, whenLookedAt } from '../ui/start.ts';
import { InvitationForm } from './invitation-form.tsx';
import { keepPageSecret, pageHeader } from './page-secret.ts';
import {
  type Details,
  type Enrolled,
  type Event,
  initial,
  next,
  type Opened,
  progressOf,
  type Step,
  statusOf,
  stepOf,
} from './state.ts';

export function Enroll({ ticket }: { ticket: string | undefined }) {
  const [state, send] = useReducer(next, ticket, initial);
  const host = state.details?.host ?? location.host;
  const status = statusOf(state);
  const progress = progressOf(state);
  useFocusOn(state.at === 'asking' ? 'asking' : status?.id);

  useEffect(() => {
    if (ticket !== undefined) open(ticket, send);
  }, []);

  if (state.at === 'asking') {
    return (
      <Page task="Enroll a security key at" host={host}>
        <InvitationForm busy={state.busy} refusal={state.refusal} onSubmit={(invitation) => start(invitation, send)} />
      </Page>
    );
  }

  const step = stepOf(state);
  const press = state.details ? () => touch(state.ticket, step, host, send, true) : () => open(state.ticket, send);
  const explanation = state.at === 'failed' ? state.explanation : undefined;

  return (
    <Page task="Enroll a security key at" host={host}>
      {progress && <p class="progress">{progress}</p>}
      {state.at === 'waiting' && (
        <TerminalWords
          before="Your terminal asks about"
          words={state.words}
          after="Say yes there only if the words are the same."
        />
      )}
      <StatusRegion status={status} />
      {state.at === 'ready' && (
        <PrimaryButton onPress={press}>{step === 'confirm' ? 'Use the key you have' : 'Use the new key'}</PrimaryButton>
      )}
      {explanation?.again && <PrimaryButton onPress={press}>Try again</PrimaryButton>}
      {explanation && <PinHelp explanation={explanation} />}
      {state.at === 'done' ? (
        <p class="status-after">You can close this page.</p>
      ) : (
        state.details && <Request {...state.details} />
      )}
    </Page>
  );
}

type Send = (event: Event) => void;

/** A ticket here is as it stands in the address bar. */
const at = (ticket: string) => `/enroll/${ticket}`;

/** How often the server is asked whether the terminal has answered, in milliseconds. */
const askEvery = 1_000;

async function start(invitation: string, send: Send): Promise<void> {
  send({ type: 'submitted' });
  try {
    // There is no terminal: who gave the code has this page, whose ticket is in no address.
    const answer = await call<{ ticket: string; page: string }>('POST', '/enroll/start', { invitation, page: true });
    const ticket = encodeURIComponent(answer.ticket);
    keepPageSecret(ticket, answer.page);
    await open(ticket, send);
  } catch (error) {
    send({ type: 'refused', explanation: explain(error, 'enroll', location.host) });
  }
}

/** Opens the enrolment, and waits until the terminal has said that this is its page. */
async function agreedTo(ticket: string, send: Send): Promise<Details> {
  for (let words: string | undefined; ; ) {
    try {
      const opened = await call<Opened | Details>('POST', `${at(ticket)}/open`, undefined, pageHeader(ticket));
      keepPageSecret(ticket, opened.page);
      if (opened.approved) return opened;
      words = opened.words;
      send({ type: 'waiting', words });
    } catch (error) {
      // The person is at the terminal: a server that is busy for a moment is no reason to give up.
      if (words === undefined || !isPassing(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, askEvery));
  }
}

/** Whether the server has said that it cannot answer now, and may in a moment. */
function isPassing(error: unknown): boolean {
  return error instanceof ProblemError && (error.problem.status === 429 || error.problem.status >= 500);
}

async function open(ticket: string, send: Send): Promise<void> {
  send({ type: 'opening', ticket });
  let details: Details;
  try {
    details = await agreedTo(ticket, send);
  } catch (error) {
    send({ type: 'failed', explanation: explain(error, 'enroll', location.host) });
    return;
  }
  send({ type: 'opened', details });
  const explanation = unsupported('enroll');
  if (explanation) {
    send({ type: 'failed', explanation });
    return;
  }
  await whenLookedAt();
  await touch(ticket, details.needsConfirmation ? 'confirm' : 'enroll', details.host, send, false);
}

async function touch(ticket: string, step: Step, host: string, send: Send, pressed: boolean): Promise<void> {
  send({ type: 'touching' });
  const onTouched = () => send({ type: 'touched' });
  try {
    if (step === 'confirm') {
      const { page } = await useKey<{ page: string }>(`${at(ticket)}/confirm`, onTouched, pageHeader(ticket));
      keepPageSecret(ticket, page);
      // Not at once: the first key has to make room for the new one.
      send({ type: 'confirmed' });
    } else {
      const enrolled = await registerKey<Enrolled>(at(ticket), onTouched, pageHeader(ticket));
      send({ type: 'enrolled', enrolled });
    }
  } catch (error) {
    if (!pressed && wantsGesture(error)) send({ type: 'gesture-wanted' });
    else if (error instanceof ProblemError && error.problem.name === 'confirmation-needed') {
      send({ type: 'confirmation-wanted' });
    } else {
      send({ type: 'failed', explanation: explain(error, step, host) });
    }
  }
}
