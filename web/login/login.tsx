import { useEffect, useReducer } from 'preact/hooks';
import { abandonCeremony, useKey } from '../ui/ceremony.ts';
import { explain, wantsGesture } from '../ui/explain.ts';
import { Page, PinHelp, PrimaryButton, QuietButton, Request, StatusRegion, useFocusOn } from '../ui/layout.tsx';
import { leaveFor } from '../ui/leave.ts';
import { call } from '../ui/problem.ts';
import { unsupported, whenLookedAt } from '../ui/start.ts';
import { type Details, type Event, initial, next, statusOf } from './state.ts';

export function Login({ base }: { base: string }) {
  const [state, send] = useReducer(next, initial);
  const host = state.details?.host ?? location.host;
  const status = statusOf(state);
  useFocusOn(status?.id);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once a page
  useEffect(() => {
    load(base, send);
  }, []);

  const explanation = state.at === 'failed' ? state.explanation : undefined;
  const again = state.details ? () => touch(base, host, send, true) : () => load(base, send);

  return (
    <Page task="Sign in to" host={host}>
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
  try {
    const { redirectTo } = await useKey<{ redirectTo: string }>(base, () => send({ type: 'touched' }));
    send({ type: 'accepted' });
    leaveFor(redirectTo);
  } catch (error) {
    if (!pressed && wantsGesture(error)) send({ type: 'gesture-wanted' });
    else send({ type: 'failed', explanation: explain(error, 'sign-in', host) });
  }
}

async function cancel(base: string, host: string, send: Send): Promise<void> {
  send({ type: 'cancelling' });
  abandonCeremony();
  try {
    const { redirectTo } = await call<{ redirectTo: string }>('POST', `${base}/cancel`);
    leaveFor(redirectTo);
  } catch (error) {
    send({ type: 'failed', explanation: explain(error, 'sign-in', host) });
  }
}
