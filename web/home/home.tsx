import { Command } from '../ui/command.tsx';
import { FormattedText } from '../ui/formatted-text.tsx';
import { Page } from '../ui/page.tsx';
import { Row, Rows } from '../ui/rows.tsx';

/** What this server is, and how to begin. */
export function Home() {
  return (
    <Page task="Welcome to" host={location.host}>
      <p class="lead">One touch of your security key a day, and Git and AWS work without stored passwords.</p>
      <Rows>
        <Row title="Sign in from your terminal">
          <Command text={`vouch login --server ${location.origin}`} />
        </Row>
        <Row title="First time here? Enrol your key">
          <p class="row-text">
            <FormattedText text="Ask your administrator for an invitation, then run:" />
          </p>
          <Command text={`vouch enroll --server ${location.origin}`} />
          <p class="row-text">
            <a class="link" href="/enroll">
              Enter the code here
            </a>{' '}
            ·{' '}
            <a class="link" href="/account">
              My account
            </a>
          </p>
        </Row>
      </Rows>
    </Page>
  );
}
