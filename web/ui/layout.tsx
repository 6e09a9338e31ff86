import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Explanation } from './explain.ts';
import { KeyDrawing, type KeyMood } from './key-drawing.tsx';
import { ago, exactly } from './when.ts';
import { Words } from './words.tsx';

export function Brand() {
  return (
    <header class="brand">
      <svg class="brand-mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
        <path d="m5 6 7 12 7-12" />
      </svg>
      Vouch
    </header>
  );
}

/** The frame of every page: whose it is, what it is for, and on which host, large enough to check. */
export function Page({ task, host, children }: { task: string; host: string; children: ComponentChildren }) {
  return (
    <>
      <Brand />
      <main class="card">
        <h1 class="title">
          <span class="title-task">{task}</span> <span class="title-host">{host}</span>
        </h1>
        <p class="title-check">Your browser’s address bar should show this very name.</p>
        {children}
      </main>
    </>
  );
}

export interface Status {
  /** Changes when the state does: the focus moves then, and only then. */
  id: string;
  mood: KeyMood;
  title: string;
  text?: string;
}

/**
 * What is going on, in one place that a screen reader listens to. The region itself stays, and is empty for the first
 * moment: a region that appears together with its text is not announced.
 */
export function StatusRegion({ status }: { status: Status | undefined }) {
  return (
    <div class="status">
      {status ? <KeyDrawing mood={status.mood} /> : <p class="status-wait">One moment …</p>}
      <div role="status" aria-live="polite" aria-atomic="true" data-status={status?.id}>
        {status && (
          <>
            <h2 class="status-title" tabIndex={-1}>
              <Words text={status.title} />
            </h2>
            {status.text && (
              <p class="status-text">
                <Words text={status.text} />
              </p>
            )}
          </>
        )}
      </div>
    </div>
  );
}

/** Moves the focus with the state: to the one thing to press, or else to the words. */
export function useFocusOn(state: string | undefined): void {
  const first = useRef(true);
  useEffect(() => {
    if (state === undefined) return;
    const target =
      document.querySelector<HTMLElement>('[data-autofocus]') ??
      document.querySelector<HTMLElement>('[data-primary]') ??
      document.querySelector<HTMLElement>('.status-title');
    // On arrival a screen reader reads the page from its top; only something to press or fill in is worth a jump.
    if (!(first.current && target?.matches('.status-title'))) target?.focus();
    first.current = false;
  }, [state]);
}

export function PrimaryButton({ onPress, children }: { onPress: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="button button-primary" data-primary onClick={onPress}>
      {children}
    </button>
  );
}

export function QuietButton({ onPress, children }: { onPress: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="button button-quiet" data-cancel onClick={onPress}>
      {children}
    </button>
  );
}

/** What to do about a PIN or a full key, for those whose browser mentioned one. Folded away from all others. */
export function PinHelp({ explanation }: { explanation: Explanation }) {
  const { mayBePin, mayBeFull } = explanation;
  if (!mayBePin) return null;
  return (
    <details class="help">
      <summary>Did it say something about a PIN{mayBeFull && ', or that the key is full'}?</summary>
      {mayBeFull && (
        <p>
          <strong>The key is full:</strong> it keeps only so many passkeys. Delete one that you no longer need, in your
          browser’s or system’s settings for security keys, then try again; or use another key.
        </p>
      )}
      <p>
        <strong>No PIN yet:</strong> set one in your browser’s or system’s settings for security keys, then try again.
      </p>
      <p>
        <strong>Blocked for now:</strong> take the key out, plug it in again, and enter the PIN with care.
      </p>
      <p>
        <strong>Blocked for good</strong> (after 8 wrong PINs): the key has to be reset, which empties it. Ask your
        administrator for a new invitation.
      </p>
    </details>
  );
}

/** The words that terminal and page both show: whoever asks cannot choose them, unlike the names below. */
export function TerminalWords({ before, words, after }: { before: string; words: string; after: string }) {
  return (
    <p class="words">
      {before} <strong>{words}</strong> {after}
    </p>
  );
}

/** Who asks: so that a request that isn't yours is seen to be none. */
export function Request(props: { email?: string; client: string; machine: string | null; requestedAt: string }) {
  const now = useMinute();
  const time = new Date(props.requestedAt);
  return (
    <dl class="request">
      {props.email && <Fact name="For">{props.email}</Fact>}
      <Fact name="Asked by">{props.client}</Fact>
      {props.machine && <Fact name="On">{props.machine}</Fact>}
      {Number.isNaN(time.getTime()) || (
        <Fact name="When">
          <time dateTime={props.requestedAt} title={time.toString()}>
            {ago(time, now)}, {exactly(time, now)}
          </time>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function useMinute(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 20_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
