import { useEffect } from 'preact/hooks';
import { explain } from '../ui/explain/explain.ts';
import type { Explanation } from '../ui/explain/explanation.ts';
import { FormattedText } from '../ui/formatted-text.tsx';
import { Page } from '../ui/page.tsx';
import type { Account } from './account.ts';
import type { Send } from './account-page.tsx';
import { AddKey } from './add-key.tsx';
import { saidOf } from './change.ts';
import { ChangePanel } from './change-panel.tsx';
import { HistoryList } from './history-list.tsx';
import { KeyList } from './key-list.tsx';
import { forgetSession, isProblem, load } from './requests.ts';
import { SessionList } from './session-list.tsx';
import type { Task, View } from './state.ts';

const views: readonly (readonly [View, string])[] = [
  ['keys', 'Keys'],
  ['sessions', 'Sessions'],
  ['history', 'History'],
];

export interface OpenAccountProps {
  account: Account;
  view: View;
  task: Task | undefined;
  said: string | undefined;
  returnTo: string | undefined;
  send: Send;
  /** Called when the server says that the session is over. */
  onOver: () => void;
  onSignOut: () => void;
}

/** What a view can do to the page around it. */
export interface ViewActions {
  /** Begins something that takes the place of the lists. @param from the ID of the element that began it */
  begin: (task: Task, from: string) => void;
  /** Shows what was done, with everything loaded anew. */
  done: (said: string) => Promise<void>;
  /** What an error means here; undefined if it is the session's end. */
  explainHere: (error: unknown) => Explanation | undefined;
}

export function OpenAccount(props: OpenAccountProps) {
  const { account, view, task, said, returnTo, send, onOver, onSignOut } = props;
  const explainHere = (error: unknown) => {
    if (!isProblem(error, 'web-session-over')) return explain(error, 'confirm', location.host);
    onOver();
    return undefined;
  };
  const done = async (words: string) => {
    try {
      send({ type: 'done', account: await load(), said: words });
    } catch (error) {
      // It was done all the same.
      if (isProblem(error, 'web-session-over')) onOver();
      else send({ type: 'done', account, said: words });
    }
  };
  const actions: ViewActions = {
    begin: (next, from) => send({ type: 'beginning', task: next, returnTo: from }),
    done,
    explainHere,
  };

  useEffect(() => {
    if (task !== undefined || returnTo === undefined) return;
    const target = document.getElementById(returnTo) ?? document.getElementById('said');
    target?.focus();
  }, [task, returnTo, said]);

  if (task?.kind === 'add') {
    return (
      <AddKey
        keys={account.keys}
        wanted={task.name}
        onDone={done}
        onLeave={() => send({ type: 'left' })}
        onOver={onOver}
      />
    );
  }
  if (task?.kind === 'change') {
    const { change } = task;
    return (
      <ChangePanel
        change={change}
        onLeave={() => send({ type: 'left' })}
        onOver={onOver}
        onDone={async (ending) => {
          if (change.kind === 'not-me') {
            forgetSession();
            send({ type: 'reported', ending });
          } else if (ending.signedOut || (change.kind === 'end-session' && change.isThisPage)) {
            forgetSession();
            send({ type: 'signed-out', why: 'signed-out' });
          } else {
            await done(saidOf(change, ending, new Date()));
          }
        }}
      />
    );
  }
  return (
    <Page task="My account at" host={account.me.host}>
      <p class="account-who">
        {account.me.email}
        {account.me.role === 'owner' && ' (owner)'}
        <button type="button" class="button button-quiet" onClick={onSignOut}>
          Sign out
        </button>
      </p>
      <nav class="views" aria-label="My account">
        {views.map(([name, title]) => (
          <button
            key={name}
            type="button"
            class="view"
            aria-current={name === view ? 'page' : undefined}
            onClick={() => send({ type: 'viewing', view: name })}
          >
            {title}
          </button>
        ))}
      </nav>
      <p class="said" id="said" role="status" tabIndex={-1}>
        {said && <FormattedText text={said} />}
      </p>
      {view === 'keys' && <KeyList keys={account.keys} {...actions} />}
      {view === 'sessions' && <SessionList sessions={account.sessions} browsers={account.browsers} {...actions} />}
      {view === 'history' && (
        <HistoryList history={account.history} onOlder={(history) => send({ type: 'older', history })} {...actions} />
      )}
    </Page>
  );
}
