import { Fact, Facts } from '../ui/facts.tsx';
import { FormattedText } from '../ui/formatted-text.tsx';
import { KeyDrawing, type KeyMood } from '../ui/key-drawing.tsx';
import { Notice } from '../ui/notice.tsx';
import type { Outcome, Session } from '../ui/outcome.ts';
import { Card } from '../ui/page.tsx';
import { until } from '../ui/time.ts';

/** @param failed whether the terminal said so @param outcome how the sign-in ended in this tab, if the tab knows */
export function SignedIn({ failed, outcome }: { failed: boolean; outcome: Outcome | undefined }) {
  if (failed && outcome === 'cancelled') {
    return <End mood="off" title="You cancelled. Nothing happened." text="To sign in later, run `vouch login`." />;
  }
  if (failed) return <End mood="warning" title="Your sign-in did not finish." text="Your terminal says why." />;
  const session = typeof outcome === 'object' ? outcome.signedIn : undefined;
  return <End mood="done" title="You’re signed in." text="Go back to your terminal." session={session} />;
}

function End({ mood, title, text, session }: { mood: KeyMood; title: string; text: string; session?: Session }) {
  return (
    <Card>
      <KeyDrawing mood={mood} />
      <h1 class="status-title">{title}</h1>
      <p class="status-text">
        <FormattedText text={text} /> You can close this page.
      </p>
      {session && <SessionFacts {...session} />}
      {session?.suggestSpare && <SpareNotice />}
      {mood === 'done' && (
        <p class="status-after">
          <a class="link" href="/account">
            Your keys and sessions
          </a>
        </p>
      )}
    </Card>
  );
}

/** Somebody with a single key is locked out when it is lost. */
function SpareNotice() {
  return (
    <Notice tone="warning">
      You have only one key. If you lose it, only your administrator can let you in again:{' '}
      <a class="link" href="/account?add">
        add a spare key
      </a>
      .
    </Notice>
  );
}

/** Whose session it is, until when and where. An ended one is nothing to show. */
function SessionFacts({ email, machine, expiresAt }: Session) {
  const now = new Date();
  const end = new Date(expiresAt);
  if (!(end > now)) return null;
  return (
    <Facts>
      <Fact name="As">{email}</Fact>
      <Fact name="Until">
        <time dateTime={expiresAt}>{until(end, now)}</time>
      </Fact>
      {machine && <Fact name="On">{machine}</Fact>}
    </Facts>
  );
}
