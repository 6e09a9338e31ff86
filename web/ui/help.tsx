import type { ComponentChildren } from 'preact';

/** Help that not everybody needs, folded under the question that it answers. */
export function Help({ question, children }: { question: string; children: ComponentChildren }) {
  return (
    <details class="help">
      <summary>{question}</summary>
      {children}
    </details>
  );
}
