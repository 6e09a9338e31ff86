import type { ComponentChildren } from 'preact';

/** A list of things, a line between them. */
export function Rows({ children }: { children: ComponentChildren }) {
  return <ul class="rows">{children}</ul>;
}

/** One of them: what it is called, what there is to know, and what can be done with it. */
export function Row({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <li class="row">
      <h2 class="row-title">{title}</h2>
      {children}
    </li>
  );
}
