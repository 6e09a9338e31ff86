import { useReducer, useState } from 'preact/hooks';
import { Actions, CancelButton, PrimaryButton } from '../ui/buttons.tsx';
import { abandonCeremony, wantsGesture } from '../ui/ceremony.ts';
import { explain } from '../ui/explain/explain.ts';
import { Page } from '../ui/page.tsx';
import { PinHelp } from '../ui/pin-help.tsx';
import { StatusRegion, useFocusOn } from '../ui/status.tsx';
import type { Key } from './account.ts';
import { type AddEvent, addReducer, addStatus, initialAdd, isTouchable, type Step, stepOf } from './add-state.ts';
import { longest, NameField, troubleWithName } from './name-field.tsx';
import { addKey, isProblem, touchAgain, wasTouchedJustNow } from './requests.ts';

export interface AddKeyProps {
  keys: Key[];
  /** The name that `vouch keys add` has asked for. */
  wanted: string | undefined;
  onDone: (said: string) => Promise<void>;
  onLeave: () => void;
  onOver: () => void;
}

/** Adds a further key: its name, a touch of a key that the person has (unless there was one just now), and the new key. */
export function AddKey({ keys, wanted, onDone, onLeave, onOver }: AddKeyProps) {
  const [state, send] = useReducer(addReducer, initialAdd);
  const [name, setName] = useState(() => wanted?.slice(0, longest) ?? freeName(keys));
  const status = addStatus(state);
  useFocusOn(status?.id ?? 'naming', false);
  const making: Making = { name: name.trim(), send, onDone, onOver };

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const trouble = troubleWithName(name.trim());
    if (trouble !== undefined) send({ type: 'nameless', trouble });
    else touch(wasTouchedJustNow() ? 'enrol' : 'confirm', making);
  };
  const leave = () => {
    abandonCeremony();
    onLeave();
  };
  const explanation = state.at === 'failed' ? state.explanation : undefined;
  const step = stepOf(state);
  const canLeave = state.at !== 'verifying';
  return (
    <Page task="Add a security key at" host={location.host} touchable={isTouchable(state)}>
      {state.at === 'naming' ? (
        <form class="form" onSubmit={submit} noValidate>
          <NameField
            id="new-key"
            label="What do you call the new key?"
            hint="So that you know it from your others, such as “In the drawer”."
            {...{ name, trouble: state.trouble, setName }}
          />
          <Actions>
            <button type="submit" class="button button-primary" data-primary>
              Continue
            </button>
            <CancelButton onPress={leave} />
          </Actions>
        </form>
      ) : (
        <>
          <StatusRegion status={status} />
          <Actions>
            {state.at === 'ready' && (
              <PrimaryButton onPress={() => touch(step, making)}>
                {step === 'confirm' ? 'Use the key you have' : 'Use the new key'}
              </PrimaryButton>
            )}
            {explanation?.canRetry && (
              <PrimaryButton onPress={() => touch(step, making)}>
                {explanation.mood === 'done' ? 'Use another key' : 'Try again'}
              </PrimaryButton>
            )}
            {canLeave && <CancelButton onPress={leave} />}
          </Actions>
          {explanation && <PinHelp explanation={explanation} />}
        </>
      )}
    </Page>
  );
}

interface Making {
  name: string;
  send: (event: AddEvent) => void;
  onDone: (said: string) => Promise<void>;
  onOver: () => void;
}

async function touch(step: Step, making: Making): Promise<void> {
  const { name, send, onDone, onOver } = making;
  send({ type: 'touching', step });
  const onTouched = () => send({ type: 'touched' });
  try {
    if (step === 'confirm') {
      await touchAgain(onTouched);
      // The new key waits for a press: the person has to change the keys first.
      send({ type: 'ready', step: 'enrol' });
    } else {
      const key = await addKey(name, onTouched);
      await onDone(`Added “${key.name}”${key.model === null ? '' : `, a ${key.model}`}. It signs you in from now on.`);
    }
  } catch (error) {
    if (isProblem(error, 'web-session-over')) onOver();
    else if (isProblem(error, 'touch-needed')) await touch('confirm', making);
    else if (wantsGesture(error)) send({ type: 'ready', step });
    else send({ type: 'failed', explanation: explain(error, step, location.host) });
  }
}

/** A name that none of the keys has. */
function freeName(keys: Key[]): string {
  const names = new Set(keys.map(({ name }) => name));
  let name = 'Spare key';
  for (let count = 2; names.has(name); count += 1) name = `Spare key ${count}`;
  return name;
}
