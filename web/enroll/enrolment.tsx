import { useEffect, useReducer } from 'preact/hooks';
import { Actions, CancelButton, PrimaryButton } from '../ui/buttons.tsx';
import { call } from '../ui/call.ts';
import { abandonCeremony, authenticate, register, wantsGesture } from '../ui/ceremony.ts';
import { explain } from '../ui/explain/explain.ts';
import { Page } from '../ui/page.tsx';
import { keepPageSecret, pageHeader } from '../ui/page-secret.ts';
import { PinHelp } from '../ui/pin-help.tsx';
import { ProblemError } from '../ui/problem.ts';
import { Requester } from '../ui/requester.tsx';
import { StatusRegion, useFocusOn } from '../ui/status.tsx';
import { TerminalWords } from '../ui/terminal-words.tsx';
import { whenVisible } from '../ui/visible.ts';
import { requireWebAuthn } from '../ui/webauthn-support.ts';
import { InvitationForm } from './invitation-form.tsx';
import { LostKeyHelp } from './lost-key-help.tsx';
import { ReplacesNotice } from './replaces-notice.tsx';
import {
  type Details,
  type Enrolled,
  type Event,
  initial,
  isTouchable,
  type Opened,
  progressOf,
  reducer,
  replacesKeys,
  type Step,
  statusOf,
  stepOf,
} from './state.ts';

/** @param ticket as it stands in the address bar, percent-encoded; none on `/enroll` itself */
export function Enrolment({ ticket }: { ticket: string | undefined }) {
  const [state, send] = useReducer(reducer, ticket, initial);
  const host = state.details?.host ?? location.host;
  const status = statusOf(state);
  useFocusOn(state.at === 'asking' ? 'asking' : status?.id);

  useEffect(() => {
    if (ticket !== undefined) open(ticket, send);
  }, []);

  if (state.at === 'asking') {
    return (
      <Page task="Enrol a security key at" host={host}>
        <InvitationForm busy={state.busy} refusal={state.refusal} onSubmit={(invitation) => start(invitation, send)} />
      </Page>
    );
  }

  const step = stepOf(state);
  const press = state.details ? () => touch(state.ticket, step, host, send, true) : () => open(state.ticket, send);
  const explanation = state.at === 'failed' ? state.explanation : undefined;

  const touchable = isTouchable(state);
  const canCancel = state.at === 'waiting' || touchable || explanation?.canRetry;

  return (
    <Page task="Enrol a security key at" host={host} touchable={touchable}>
      {state.at === 'waiting' && (
        <TerminalWords
          before="Your terminal asks about"
          words={state.words}
          after="Answer yes there only if the words are the same."
        />
      )}
      {touchable && state.details.replaces && <ReplacesNotice keys={state.details.replaces} />}
      <StatusRegion status={status && { ...status, progress: progressOf(state) }} />
      <Actions>
        {state.at === 'ready' && (
          <PrimaryButton onPress={press}>
            {step === 'confirm' ? 'Use the key you have' : 'Use the new key'}
          </PrimaryButton>
        )}
        {explanation?.canRetry && (
          <PrimaryButton onPress={press}>{explanation.mood === 'done' ? 'Use another key' : 'Try again'}</PrimaryButton>
        )}
        {canCancel && <CancelButton onPress={() => cancel(state.ticket, host, send)} />}
      </Actions>
      {explanation && <PinHelp explanation={explanation} />}
      {state.details && step === 'confirm' && (touchable || explanation) && <LostKeyHelp email={state.details.email} />}
      {(state.at === 'done' || state.at === 'cancelled') && <p class="status-after">You can close this page.</p>}
      {touchable && <Requester {...state.details} />}
    </Page>
  );
}

type Send = (event: Event) => void;

const pathOf = (ticket: string) => `/enroll/${ticket}`;

/** How often to ask the server whether the terminal has answered, in milliseconds. */
const pollInterval = 1_000;

async function start(invitation: string, send: Send): Promise<void> {
  send({ type: 'submitted' });
  try {
    // No terminal has to approve this page: the person who typed the code is looking at it, and its ticket is in no
    // address.
    const answer = await call<{ ticket: string; page: string }>('POST', '/enroll/start', { invitation, page: true });
    const ticket = encodeURIComponent(answer.ticket);
    keepPageSecret(ticket, answer.page);
    await open(ticket, send);
  } catch (error) {
    send({ type: 'refused', explanation: explain(error, 'enrol', location.host) });
  }
}

async function open(ticket: string, send: Send): Promise<void> {
  send({ type: 'opening', ticket });
  try {
    const details = await whenApproved(ticket, send);
    send({ type: 'opened', details });
    requireWebAuthn();
    // The person must first read which keys stop working: the browser's own dialog would cover that.
    if (replacesKeys(details)) return;
    await whenVisible();
    await touch(ticket, details.needsConfirmation ? 'confirm' : 'enrol', details.host, send, false);
  } catch (error) {
    send({ type: 'failed', explanation: explain(error, 'enrol', location.host) });
  }
}

/** Opens the enrolment, and waits until the terminal has approved this page. */
async function whenApproved(ticket: string, send: Send): Promise<Details> {
  for (let words: string | undefined; ; ) {
    try {
      const opened = await call<Opened | Details>('POST', `${pathOf(ticket)}/open`, undefined, pageHeader(ticket));
      keepPageSecret(ticket, opened.page);
      if (opened.approved) return opened;
      words = opened.words;
      send({ type: 'waiting', words });
    } catch (error) {
      // The person is busy at the terminal: do not give up because the server is overloaded for a moment.
      if (words === undefined || !isTemporary(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pollInterval));
  }
}

/** Whether the server may be able to answer later. */
function isTemporary(error: unknown): boolean {
  return error instanceof ProblemError && (error.problem.status === 429 || error.problem.status >= 500);
}

/** @param pressed whether the person pressed the button; without that, the browser may refuse */
async function touch(ticket: string, step: Step, host: string, send: Send, pressed: boolean): Promise<void> {
  send({ type: 'touching' });
  const onTouched = () => send({ type: 'touched' });
  try {
    if (step === 'confirm') {
      const { page } = await authenticate<{ page: string }>(`${pathOf(ticket)}/confirm`, onTouched, pageHeader(ticket));
      keepPageSecret(ticket, page);
      // The second step waits for a press: the person has to swap the keys first.
      send({ type: 'confirmed' });
    } else {
      const enrolled = await register<Enrolled>(pathOf(ticket), onTouched, pageHeader(ticket));
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

async function cancel(ticket: string, host: string, send: Send): Promise<void> {
  send({ type: 'cancelling' });
  abandonCeremony();
  try {
    await call('POST', `${pathOf(ticket)}/cancel`, undefined, pageHeader(ticket));
    send({ type: 'cancelled' });
  } catch (error) {
    send({ type: 'stuck', explanation: explain(error, 'enrol', host) });
  }
  // The terminal may have approved the page in between, and a ceremony begun.
  abandonCeremony();
}
