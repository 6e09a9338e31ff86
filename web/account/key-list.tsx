import { useState } from 'preact/hooks';
import { Actions, PrimaryButton } from '../ui/buttons.tsx';
import { Notice } from '../ui/notice.tsx';
import { Row, Rows } from '../ui/rows.tsx';
import { ago, dayOf } from '../ui/time.ts';
import type { Key } from './account.ts';
import type { ViewActions } from './open-account.tsx';
import { RenameForm } from './rename-form.tsx';

export function KeyList({ keys, ...actions }: { keys: Key[] } & ViewActions) {
  const [renaming, setRenaming] = useState<string>();
  const counting = keys.filter(({ counts }) => counts);
  const only = counting.length === 1;
  return (
    <>
      {only && (
        <Notice tone="warning">
          This is your only key{keys.length > 1 && ' that is accepted here'}. If you lose it, only your administrator
          can let you in again. A spare in a drawer saves you that.
        </Notice>
      )}
      <Rows>
        {keys.map((key) => (
          <Row key={key.id} title={key.name}>
            {key.model && (
              <p class="row-text">
                {key.icon && <img class="key-icon" src={key.icon} width="24" height="24" alt="" />}
                {key.model}
              </p>
            )}
            <p class="row-text">{usedWhen(key)}</p>
            {!key.counts && <p class="row-warning">Not accepted here any more: it does not sign you in</p>}
            {renaming === key.id ? (
              <RenameForm
                item={key}
                explainHere={actions.explainHere}
                onLeave={() => setRenaming(undefined)}
                onDone={async (name) => {
                  await actions.done(`Renamed “${key.name}” to “${name}”.`);
                  setRenaming(undefined);
                }}
              />
            ) : (
              <KeyActions
                item={key}
                canRemove={counting.some((other) => other !== key)}
                onRename={() => setRenaming(key.id)}
                onRemove={(from) => actions.begin({ kind: 'change', change: { kind: 'remove-key', key } }, from)}
              />
            )}
          </Row>
        ))}
      </Rows>
      <Actions>
        <PrimaryButton id="add-key" onPress={() => actions.begin({ kind: 'add' }, 'add-key')}>
          {only ? 'Add a spare key' : 'Add a key'}
        </PrimaryButton>
      </Actions>
    </>
  );
}

interface KeyActionsProps {
  item: Key;
  /** The only key that may sign in stays. */
  canRemove: boolean;
  onRename: () => void;
  onRemove: (from: string) => void;
}

function KeyActions({ item, canRemove, onRename, onRemove }: KeyActionsProps) {
  const from = `remove-${item.id}`;
  return (
    <div class="row-actions">
      <button
        type="button"
        class="button button-quiet"
        id={`rename-${item.id}`}
        aria-label={`Rename “${item.name}”`}
        onClick={onRename}
      >
        Rename
      </button>
      {canRemove && (
        <button
          type="button"
          class="button button-quiet"
          id={from}
          aria-label={`Remove “${item.name}”`}
          onClick={() => onRemove(from)}
        >
          Remove
        </button>
      )}
    </div>
  );
}

/** "Added on 3 March, used 2 hours ago". */
function usedWhen({ addedAt, lastUsedAt, current }: Key): string {
  const now = new Date();
  const added = `Added ${dayOf(new Date(addedAt), now)}`;
  if (lastUsedAt === null) return `${added}, not used yet`;
  return `${added}, used ${ago(new Date(lastUsedAt), now)}${current ? ' on this page' : ''}`;
}
