import { useEffect, useReducer } from 'preact/hooks';
import { Actions, PrimaryButton } from '../ui/buttons.tsx';
import { explain } from '../ui/explain/explain.ts';
import { Page } from '../ui/page.tsx';
import { PinHelp } from '../ui/pin-help.tsx';
import { StatusRegion, useFocusOn } from '../ui/status.tsx';
import { requireWebAuthn } from '../ui/webauthn-support.ts';
import type { Account } from './account.ts';
import { isIdle, useIdleEnd } from './idle.ts';
import { OpenAccount } from './open-account.tsx';
import { Reported } from './reported.tsx';
import { forgetSession, isProblem, load, mayBeSignedIn, signIn, signOut } from './requests.ts';
import { type Event, initial, reducer, type SignedOutWhy, statusOf, type Task } from './state.ts';

export function AccountPage() {
  const [state, send] = useReducer(reducer, mayBeSignedIn(), initial);
  const me = state.at === 'open' ? state.account.me : undefined;
  const status = statusOf(state);
  useFocusOn(status?.id);
  useIdleEnd(me?.idleSeconds, () => leave(send, 'idle'));
  useEffect(() => {
    if (state.at === 'loading') open(send);
  }, []);

  if (state.at === 'open') {
    return (
      <OpenAccount
        {...state}
        send={send}
        onOver={() => over(send, state.account)}
        onSignOut={() => leave(send, 'signed-out')}
      />
    );
  }
  if (state.at === 'reported') {
    return <Reported ending={state.ending} onSignIn={() => touch(send)} />;
  }
  const explanation = state.at === 'failed' ? state.explanation : undefined;
  const canStart = state.at === 'signed-out' || explanation?.canRetry;
  return (
    <Page
      task="My account at"
      host={location.host}
      touchable={state.at === 'touching' || state.at === 'signed-out' || explanation?.canRetry === true}
    >
      <StatusRegion status={status} />
      <Actions>
        {canStart && (
          <PrimaryButton onPress={() => touch(send)}>
            {explanation ? 'Try again' : buttonOf(state.at === 'signed-out' ? state.why : undefined)}
          </PrimaryButton>
        )}
      </Actions>
      {explanation && <PinHelp explanation={explanation} />}
    </Page>
  );
}

export type Send = (event: Event) => void;

function buttonOf(why: SignedOutWhy | undefined): string {
  return why === undefined ? 'Use your security key' : 'Sign in again';
}

/** Signs in with a touch, and shows the account. */
async function touch(send: Send): Promise<void> {
  send({ type: 'touching' });
  try {
    requireWebAuthn();
    await signIn(() => send({ type: 'touched' }));
    await open(send, noCookie);
  } catch (error) {
    send({ type: 'failed', explanation: explain(error, 'sign-in', location.host) });
  }
}

/** The session is over as soon as it has begun. */
const noCookie: Event = {
  type: 'failed',
  explanation: {
    kind: 'no-cookie',
    mood: 'warning',
    title: 'Your browser did not keep the cookie of this page.',
    advice:
      'Allow cookies for this site, then try again. Safari keeps none at http://localhost: use another browser there.',
    canRetry: true,
  },
};

/**
 * Loads and shows the account, if the session is still there. `/account?add` begins with adding a key, once, perhaps of this `name`.
 *
 * @param ifOver what to say if it is not
 */
async function open(send: Send, ifOver: Event = { type: 'signed-out', why: 'over' }): Promise<void> {
  try {
    const account = await load();
    const query = new URLSearchParams(location.search);
    const task: Task = { kind: 'add', name: query.get('name') ?? undefined };
    send({ type: 'loaded', account, ...(query.has('add') && { task }) });
    history.replaceState(null, '', location.pathname);
  } catch (error) {
    if (isProblem(error, 'web-session-over')) {
      forgetSession();
      send(ifOver);
    } else {
      send({ type: 'failed', explanation: explain(error, 'sign-in', location.host) });
    }
  }
}

/** The server says that the session is over. */
function over(send: Send, { me }: Account): void {
  forgetSession();
  send({ type: 'signed-out', why: isIdle(me.idleSeconds) ? 'idle' : 'over' });
}

function leave(send: Send, why: SignedOutWhy): void {
  signOut();
  send({ type: 'signed-out', why });
}
