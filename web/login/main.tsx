import { render } from 'preact';
import { Login } from './login.tsx';

/** `/login/<uid>`: what this page calls is below its own address. */
const base = location.pathname.split('/').slice(0, 3).join('/');
render(<Login base={base} />, document.querySelector('#page') as Element);

// Brought back by the Back button, the page would show a touch that nobody waits for.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
