import { Row, Rows } from '../ui/rows.tsx';
import { ago, until } from '../ui/time.ts';
import type { Browser, Session } from './account.ts';
import { type Change, whereOf } from './change.ts';
import { roleOf } from './event-words.ts';
import { NotMe } from './not-me.tsx';
import type { ViewActions } from './open-account.tsx';

export interface SessionListProps extends ViewActions {
  sessions: Session[];
  browsers: Browser[];
}

/** Terminals, then browsers, then what ends them all. */
export function SessionList({ sessions, browsers, begin }: SessionListProps) {
  const now = new Date();
  const others = sessions.length + browsers.length - 1;
  const change = (next: Change, from: string) => begin({ kind: 'change', change: next }, from);
  const end = (one: Session | Browser) => {
    const what = whereOf(one);
    const from = `end-${one.id}`;
    const isThisPage = one.current;
    return (
      <div class="row-actions">
        <button
          type="button"
          class="button button-quiet"
          id={from}
          aria-label={`End the session ${what}`}
          onClick={() => change({ kind: 'end-session', id: one.id, what, isThisPage }, from)}
        >
          End
        </button>
      </div>
    );
  };
  return (
    <>
      <Rows>
        {sessions.map((session) => (
          <Row key={session.id} title={session.machine ?? 'A terminal'}>
            <p class="row-text">
              Signed in {ago(new Date(session.since), now)} with “{session.keyName}”, until{' '}
              {until(new Date(session.until), now)}
            </p>
            <p class="row-text">{roleLine(session, now)}</p>
            {end(session)}
          </Row>
        ))}
        {browsers.map((browser) => (
          <Row key={browser.id} title={browser.current ? 'This page' : (browser.browser ?? 'A browser')}>
            <p class="row-text">
              {browser.current ? 'My account' : 'My account is open'}
              {browser.current && browser.browser && ` in ${browser.browser}`}, last touch{' '}
              {ago(new Date(browser.touchedAt), now)}
              {browser.ip && `, from ${browser.ip}`}
            </p>
            {!browser.current && end(browser)}
          </Row>
        ))}
      </Rows>
      {others > 0 && (
        <div class="row-actions">
          <button
            type="button"
            class="button button-quiet"
            id="end-others"
            onClick={() => change({ kind: 'end-others', count: others }, 'end-others')}
          >
            {others === 1 ? 'End the other one' : `End all ${others} others`}
          </button>
        </div>
      )}
      <NotMe question="Do you see a session that is not yours?" onReport={(from) => change({ kind: 'not-me' }, from)} />
    </>
  );
}

function roleLine({ lastRole }: Session, now: Date): string {
  if (lastRole === null) return 'No AWS role used yet';
  return `Last role: ${roleOf(lastRole.arn)}, ${ago(new Date(lastRole.at), now)}`;
}
