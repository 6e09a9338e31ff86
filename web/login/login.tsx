import { useEffect, useReducer } from 'preact/hooks';
import { Actions, CancelButton, PrimaryButton } from '../ui/buttons.tsx';
import { call } from '../ui/call.ts';
import { abandonCeremony, authenticate, wantsGesture } from '../ui/ceremony.ts';
import { explain } from '../ui/explain/explain.ts';
import { Notice } from '../ui/notice.tsx';
import { forgetOutcome, keepOutcome, type Session } from '../ui/outcome.ts';
import { Page } from '../ui/page.tsx';
import { PinHelp } from '../ui/pin-help.tsx';
import { redirect } from '../ui/redirect.ts';
import { Requester } from '../ui/requester.tsx';
import { StatusRegion, useFocusOn } from '../ui/status.tsx';
import { TerminalWords } from '../ui/terminal-words.tsx';
import { whenVisible } from '../ui/visible.ts';
import { requireWebAuthn } from '../ui/webauthn-support.ts';
import { PasteCode } from './paste-code.tsx';
import { type Details, type Event, initial, isTouchable, reducer, statusOf } from './state.ts';

/** @param base the page's own address, `/login/<uid>`; the API that it calls is below it */
export function Login({ base }: { base: string }) {
  const [state, send] = useReducer(reducer, initial);
  const host = state.details?.host ?? location.host;
  const status = statusOf(state);
  useFocusOn(status?.id);

  useEffect(() => {
    load(base, send);
  }, []);

  const press = state.details ? () => touch(base, host, send, true) : () => load(base, send);
  const explanation = state.at === 'failed' ? state.explanation : undefined;

  const touchable = isTouchable(state);

  return (
    <Page task="Sign in to" host={host} touchable={touchable}>
      {touchable && (
        <TerminalWords before="Your terminal shows" words={state.details.words} after="Continue only if it does." />
      )}
      <StatusRegion status={status} />
      <Actions>
        {state.at === 'ready' && <PrimaryButton onPress={press}>Use your security key</PrimaryButton>}
        {explanation?.canRetry && <PrimaryButton onPress={press}>Try again</PrimaryButton>}
        {(touchable || explanation?.canRetry) && <CancelButton onPress={() => cancel(base, host, send)} />}
      </Actions>
      {explanation && <PinHelp explanation={explanation} />}
      {touchable && state.details.paste && (
        <Notice tone="warning">
          Cancel if you did not run <code>vouch login --paste</code> yourself.
        </Notice>
      )}
      {state.at === 'pasting' && state.details && (
        <TerminalWords before="into the terminal that shows" words={state.details.words} after="and nowhere else." />
      )}
      {state.at === 'pasting' && (
        <PasteCode
          text={state.paste}
          until={state.pasteUntil}
          onOver={() => send({ type: 'ended', how: 'code-over' })}
        />
      )}
      {touchable && <Requester {...state.details} />}
    </Page>
  );
}

type Send = (event: Event) => void;
type Answer = { redirectTo: string };
type SignedIn = { session: Omit<Session, 'suggestSpare'>; suggestSpare: boolean } & (
  | Answer
  | { paste: string; pasteSeconds: number }
);

async function load(base: string, send: Send): Promise<void> {
  send({ type: 'loading' });
  forgetOutcome();
  try {
    const details = await call<Details>('GET', `${base}/details`);
    send({ type: 'arrived', details });
    requireWebAuthn();
    await whenVisible();
    await touch(base, details.host, send, false);
  } catch (error) {
    send({ type: 'failed', explanation: explain(error, 'sign-in', location.host) });
  }
}

/** @param pressed whether the person pressed the button; without that, the browser may refuse */
async function touch(base: string, host: string, send: Send, pressed: boolean): Promise<void> {
  send({ type: 'touching' });
  let answer: SignedIn;
  try {
    answer = await authenticate(base, () => send({ type: 'touched' }));
  } catch (error) {
    if (!pressed && wantsGesture(error)) send({ type: 'gesture-wanted' });
    else send({ type: 'failed', explanation: explain(error, 'sign-in', host) });
    return;
  }
  send({ type: 'accepted' });
  if ('paste' in answer) {
    send({ type: 'shown', paste: answer.paste, pasteUntil: Date.now() + answer.pasteSeconds * 1000 });
    return;
  }
  keepOutcome({ signedIn: { ...answer.session, suggestSpare: answer.suggestSpare } });
  leave(host, send, () => answer);
}

async function cancel(base: string, host: string, send: Send): Promise<void> {
  send({ type: 'cancelling' });
  abandonCeremony();
  await leave(host, send, async () => {
    const answer = await call<Leaving>('POST', `${base}/cancel`);
    keepOutcome('cancelled');
    return answer;
  });
}

type Leaving = Answer | { redirectTo: null };

/** Goes where the answer says. After a sign-in by paste there is nowhere to go. */
async function leave(host: string, send: Send, answer: () => Leaving | Promise<Leaving>): Promise<void> {
  try {
    const { redirectTo } = await answer();
    if (redirectTo === null) send({ type: 'ended', how: 'cancelled' });
    else redirect(redirectTo);
  } catch (error) {
    send({ type: 'stuck', explanation: explain(error, 'sign-in', host) });
  }
}
