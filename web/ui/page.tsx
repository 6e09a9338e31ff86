import type { ComponentChildren } from 'preact';

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

/** The frame of a page: what it is for, and on which host, large enough to check. */
export function Page({ task, host, children }: { task: string; host: string; children: ComponentChildren }) {
  return (
    <>
      <Brand />
      <main class="card">
        <h1 class="title">
          <span class="title-task">{task}</span> <span class="title-host">{host}</span>
        </h1>
        <p class="title-check">Your browser’s address bar must show this name.</p>
        {children}
      </main>
    </>
  );
}
