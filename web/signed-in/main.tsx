import { render } from 'preact';
import { KeyDrawing } from '../ui/key-drawing.tsx';
import { Brand } from '../ui/page.tsx';

const failed = new URLSearchParams(location.search).has('failed');
if (failed) document.title = 'Not signed in · Vouch';

render(
  <>
    <Brand />
    <main class="card card-end">
      <KeyDrawing mood={failed ? 'trouble' : 'done'} />
      <h1 class="status-title">{failed ? 'Your sign-in did not finish.' : 'You’re signed in.'}</h1>
      <p class="status-text">{failed ? 'Your terminal says why.' : 'Go back to your terminal.'}</p>
      <p class="status-after">You can close this page.</p>
    </main>
  </>,
  document.querySelector('#page') as Element,
);
