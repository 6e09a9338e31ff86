import type { ComponentChildren } from 'preact';

/** Something to know beside the task: amber for a warning, red for a refusal. */
export function Notice({ tone, children }: { tone: 'warning' | 'refused'; children: ComponentChildren }) {
  return (
    <div class="notice" data-tone={tone}>
      {children}
    </div>
  );
}
