import { useEffect, useRef, useState } from 'preact/hooks';
import type { Explanation } from '../ui/explain/explanation.ts';
import type { Key } from './account.ts';
import { NameField, troubleWithName } from './name-field.tsx';
import type { ViewActions } from './open-account.tsx';
import { renameKey } from './requests.ts';

export interface RenameFormProps extends Pick<ViewActions, 'explainHere'> {
  item: Key;
  onDone: (name: string) => Promise<void>;
  onLeave: () => void;
}

/** A key's new name, in the place of what can be done with the key. */
export function RenameForm({ item, explainHere, onDone, onLeave }: RenameFormProps) {
  const [name, setName] = useState(item.name);
  const [trouble, setTrouble] = useState<string>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector('input')?.select();
    // Where the form was.
    return () => setTimeout(() => document.getElementById(`rename-${item.id}`)?.focus());
  }, []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    const wanted = name.trim();
    const found = troubleWithName(wanted);
    setTrouble(found);
    if (found !== undefined) {
      form.current?.querySelector('input')?.focus();
      return;
    }
    if (wanted === item.name) {
      onLeave();
      return;
    }
    setBusy(true);
    try {
      await renameKey(item.id, wanted);
      await onDone(wanted);
    } catch (error) {
      setBusy(false);
      setTrouble(wordsOf(explainHere(error)));
    }
  };

  return (
    <form class="row-form" ref={form} onSubmit={submit} noValidate>
      <NameField id={`name-${item.id}`} label={`New name of “${item.name}”`} {...{ name, trouble, setName }} />
      <div class="row-actions">
        <button type="submit" class="button button-quiet" aria-disabled={busy}>
          Save
        </button>
        <button type="button" class="button button-quiet" data-cancel onClick={onLeave}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function wordsOf(explanation: Explanation | undefined): string | undefined {
  return explanation && `${explanation.title} ${explanation.advice}`;
}
