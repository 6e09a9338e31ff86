import { useEffect, useRef } from 'preact/hooks';
import { FormattedText } from './formatted-text.tsx';
import { KeyDrawing, type KeyMood } from './key-drawing.tsx';

export interface Status {
  /** Changes with the state, and the focus moves when it does. */
  id: string;
  mood: KeyMood;
  /** Which step of how many. */
  progress?: string | undefined;
  title: string;
  text?: string;
}

/**
 * What is happening, in a live region for screen readers. The region is there from the start, empty at first: they do not
 * announce one that appears together with its text.
 */
export function StatusRegion({ status }: { status: Status | undefined }) {
  return (
    <div class="status">
      {status ? <KeyDrawing mood={status.mood} /> : <p class="status-wait">One moment…</p>}
      <div role="status" aria-live="polite" aria-atomic="true" data-status={status?.id}>
        {status && (
          <>
            {status.progress && <p class="progress">{status.progress}</p>}
            <h2 class="status-title" tabIndex={-1}>
              <FormattedText text={status.title} />
            </h2>
            {status.text && (
              <p class="status-text">
                <FormattedText text={status.text} />
              </p>
            )}
          </>
        )}
      </div>
    </div>
  );
}

/**
 * Moves the focus when the state changes: to the field or button, otherwise to the words.
 *
 * @param isNewPage true when the browser has just loaded the page, false when the person pressed something on it
 */
export function useFocusOn(state: string | undefined, isNewPage = true): void {
  const first = useRef(isNewPage);
  useEffect(() => {
    if (state === undefined) return;
    const target =
      document.querySelector<HTMLElement>('[data-autofocus]') ??
      document.querySelector<HTMLElement>('[data-primary]') ??
      document.querySelector<HTMLElement>('.status-title');
    // A screen reader reads a new page from its top: only a field or a button is worth a jump then.
    if (!(first.current && target?.matches('.status-title'))) target?.focus();
    first.current = false;
  }, [state]);
}
