import type { ComponentChildren } from 'preact';
import { aboutServer } from './about-server.ts';

/** The card that holds everything, with whose server it is above. A page fills it from one axis, its left edge. */
export function Card({ children }: { children: ComponentChildren }) {
  const { team } = aboutServer();
  return (
    <div class="card">
      <header class="brand">
        <svg class="brand-mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
          <path d="m5 6 7 12 7-12" />
        </svg>
        <span class="brand-name">Vouch</span>
        {team && <span class="brand-team">{team}</span>}
      </header>
      <main>{children}</main>
    </div>
  );
}

export interface PageProps {
  task: string;
  host: string;
  /** Whether the person may touch a key now, and so has to know on whose page. */
  touchable?: boolean;
  children: ComponentChildren;
}

/** A page with a task, at a host whose name is large enough to check. */
export function Page({ task, host, touchable = false, children }: PageProps) {
  return (
    <Card>
      <h1 class="title">
        <span class="title-task">{task}</span>{' '}
        <span class="title-host" data-long={host.length > 30}>
          {host}
        </span>
      </h1>
      {touchable && <p class="title-check">Check that the address bar shows this name.</p>}
      {children}
    </Card>
  );
}
