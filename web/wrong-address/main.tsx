import { render } from 'preact';
import { Card } from '../ui/page.tsx';

render(
  <Card>
    <h1 class="status-title">Nothing waits at this address.</h1>
    <p class="status-text">Compare it with your terminal, letter by letter.</p>
    <p class="status-text">
      If it is the same, it was used, or is over: a sign-in’s after 10 minutes, an enrolment’s after 15. Run{' '}
      <code>vouch login</code> or <code>vouch enroll</code> again.
    </p>
  </Card>,
  document.querySelector('#page') as Element,
);
