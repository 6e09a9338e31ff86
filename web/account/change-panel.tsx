import { useReducer } from 'preact/hooks';
import { Actions, CancelButton } from '../ui/buttons.tsx';
import { abandonCeremony, wantsGesture } from '../ui/ceremony.ts';
import { explain } from '../ui/explain/explain.ts';
import { Page } from '../ui/page.tsx';
import { PinHelp } from '../ui/pin-help.tsx';
import { StatusRegion, useFocusOn } from '../ui/status.tsx';
import type { Ending } from './account.ts';
import { type Change, perform, wordsOf } from './change.ts';
import { type ChangeEvent, canPress, changeReducer, changeStatus, isTouchable } from './change-state.ts';
import { isProblem, touchAgain } from './requests.ts';

export interface ChangePanelProps {
  change: Change;
  onDone: (ending: Ending) => Promise<void>;
  onLeave: () => void;
  onOver: () => void;
}

/** Asks before it changes something, and for a touch if the server wants one. */
export function ChangePanel({ change, onDone, onLeave, onOver }: ChangePanelProps) {
  const [state, send] = useReducer(changeReducer, { at: 'asking' });
  const words = wordsOf(change);
  const status = changeStatus(state, words);
  useFocusOn(status.id, false);
  const explanation = state.at === 'failed' ? state.explanation : undefined;
  const touchFirst = state.at === 'touch-wanted' || (state.at === 'failed' && state.touching);

  const run = () => make(change, touchFirst, { send, onDone, onOver });
  const leave = () => {
    abandonCeremony();
    onLeave();
  };
  return (
    <Page task="My account at" host={location.host} touchable={isTouchable(state)}>
      <StatusRegion status={status} />
      <Actions>
        {canPress(state) && (
          <button type="button" class="button button-danger" id="change" onClick={run}>
            {explanation ? 'Try again' : touchFirst ? 'Use your security key' : words.action}
          </button>
        )}
        {state.at !== 'working' && state.at !== 'verifying' && <CancelButton onPress={leave} />}
      </Actions>
      {explanation && <PinHelp explanation={explanation} />}
    </Page>
  );
}

interface Making {
  send: (event: ChangeEvent) => void;
  onDone: (ending: Ending) => Promise<void>;
  onOver: () => void;
}

async function make(change: Change, touchFirst: boolean, { send, onDone, onOver }: Making): Promise<void> {
  const touch = async () => {
    send({ type: 'touching' });
    await touchAgain(() => send({ type: 'touched' }));
  };
  try {
    if (touchFirst) await touch();
    send({ type: 'working' });
    const ending = await perform(change).catch(async (error: unknown) => {
      if (!isProblem(error, 'touch-needed')) throw error;
      await touch();
      send({ type: 'working' });
      return perform(change);
    });
    await onDone(ending);
  } catch (error) {
    if (isProblem(error, 'web-session-over')) onOver();
    else if (wantsGesture(error)) send({ type: 'gesture-wanted' });
    else send({ type: 'failed', explanation: explain(error, 'confirm', location.host) });
  }
}
