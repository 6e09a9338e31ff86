import { render } from 'preact';
import { Card } from '../ui/page.tsx';

render(
  <Card>
    <h1 class="status-title">There is no page at this address.</h1>
    <p class="status-text">
      Check the address. To sign in, run <code>vouch login</code> in your terminal.
    </p>
    <p class="status-after">
      <a class="link" href="/">
        What this server is for
      </a>
    </p>
  </Card>,
  document.querySelector('#page') as Element,
);
