import { useState } from 'preact/hooks';
import type { Explanation } from '../ui/explain/explanation.ts';
import { FormattedText } from '../ui/formatted-text.tsx';
import { ago, timeOfDay } from '../ui/time.ts';
import type { History, HistoryEvent } from './account.ts';
import { sentenceOf } from './event-words.ts';
import { NotMe } from './not-me.tsx';
import type { ViewActions } from './open-account.tsx';
import { olderHistory } from './requests.ts';

export interface HistoryListProps extends ViewActions {
  history: History;
  onOlder: (history: History) => void;
}

/** What happened, the latest first. */
export function HistoryList({ history, onOlder, begin, explainHere }: HistoryListProps) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Explanation>();
  const { events, before } = history;
  const older = async () => {
    if (busy || before === null) return;
    setBusy(true);
    try {
      const next = await olderHistory(before);
      onOlder(next);
      setTrouble(undefined);
      // The button may be gone, and the new rows begin where it was.
      const first = next.events[0]?.id;
      setTimeout(() => document.getElementById(`event-${first}`)?.focus());
    } catch (error) {
      setTrouble(explainHere(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <ol class="history">
        {events.map((event) => (
          <Line key={event.id} event={event} />
        ))}
      </ol>
      {before !== null && (
        <div class="row-actions">
          <button type="button" class="button button-quiet" id="older" aria-disabled={busy} onClick={older}>
            Show older
          </button>
        </div>
      )}
      <p class="form-status" role="status">
        {trouble && <FormattedText text={`${trouble.title} ${trouble.advice}`} />}
      </p>
      <NotMe
        question="Do you see something that you did not do?"
        onReport={(from) => begin({ kind: 'change', change: { kind: 'not-me' } }, from)}
      />
    </>
  );
}

function Line({ event }: { event: HistoryEvent }) {
  const now = new Date();
  const time = new Date(event.at);
  return (
    <li class="event" id={`event-${event.id}`} tabIndex={-1}>
      <p class="event-what">{sentenceOf(event)}</p>
      <p class="row-text">
        <time dateTime={event.at} title={time.toString()}>
          {ago(time, now)}, {timeOfDay(time, now)}
        </time>
        {event.ip && `, from ${event.ip}`}
      </p>
    </li>
  );
}
