import { useEffect, useReducer } from 'preact/hooks';
import { abandonCeremony, useKey } from '../ui/ceremony.ts';
import { explain, wantsGesture } from '../ui/explain.ts';
import {
  Page,
  PinHelp,
  PrimaryButton,
  QuietButton,
  Request,
  StatusRegion,
  TerminalWords,
  useFocusOn,
} from '../ui/layout.tsx';
import { leaveFor } from '../ui/leave.ts';
import { call } from '../ui/problem.ts';
import { unsupported, whenLookedAt } from '../ui/start.ts';
import { type Details, type Event, initial, next, statusOf } from './state.ts';

export function Login({ base }: { base: string }) {
  const [state, send] = useReducer(next, initial);
  const host = state.details?.host ?? location.host;
  const status = statusOf(state);
  useFocusOn(status?.id);

  useEffect(() => {
    load(base, send);
  }, []);

  const explanation = state.at === 'failed' ? state.explanation : undefined;
  const again = state.details ? () => touch(base, host, send, true) : () => load(base, send);

  return (
    <Page task="Sign in to" host={host}>
      {state.details && state.at !== 'leaving' && (
        <TerminalWords before="Your terminal shows" words={state.details.words} after="Only go on if it does." />
      )}
      <StatusRegion status={status} />
      {state.at === 'ready' && <PrimaryButton onPress={again}>Use your security key</PrimaryButton>}
      {explanation?.again && <PrimaryButton onPress={again}>Try again</PrimaryButton>}
      {explanation && <PinHelp explanation={explanation} />}
      {state.details && <Request {...state.details} />}
      {(state.at === 'ready' || state.at === 'touching' || explanation?.again) && (
        <QuietButton onPress={() => cancel(base, host, send)}>Cancel and go back to the terminal</QuietButton>
      )}
    </Page>
  );
}

type Send = (event: Event) => void;
type Answer = { redirectTo: string };

async function load(base: string, send: Send): Promise<void> {
  send({ type: 'loading' });
  let details: Details;
  try {
    details = await call<Details>('GET', `${base}/details`);
  } catch (error) {
    send({ type: 'failed', explanation: explain(error, 'sign-in', location.host) });
    return;
  }
  send({ type: 'arrived', details });
  const explanation = unsupported('sign-in');
  if (explanation) {
    send({ type: 'failed', explanation });
    return;
  }
  await whenLookedAt();
  await touch(base, details.host, send, false);
}

async function touch(base: string, host: string, send: Send, pressed: boolean): Promise<void> {
  send({ type: 'touching' });
  let answer: Answer;
  try {
    answer = await useKey(base, () => send({ type: 'touched' }));
  } catch (error) {
    if (!pressed && wantsGesture(error)) send({ type: 'gesture-wanted' });
    else send({ type: 'failed', explanation: explain(error, 'sign-in', host) });
    return;
  }
  send({ type: 'accepted' });
  leave(host, send, () => answer);
}

async function cancel(base: string, host: string, send: Send): Promise<void> {
  send({ type: 'cancelling' });
  abandonCeremony();
  await leave(host, send, () => call('POST', `${base}/cancel`));
}

async function leave(host: string, send: Send, where: () => Answer | Promise<Answer>): Promise<void> {
  try {
    leaveFor((await where()).redirectTo);
  } catch (error) {
    send({ type: 'stuck', explanation: explain(error, 'sign-in', host) });
  }
}
