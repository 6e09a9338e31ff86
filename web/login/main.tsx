import { render } from 'preact';
import { Login } from './login.tsx';

const uid = location.pathname.split('/')[2] ?? '';
render(
  <Login base={`/login/${encodeURIComponent(decodeURIComponent(uid))}`} />,
  document.querySelector('#page') as Element,
);

// Brought back by the Back button, the page would show a touch that nobody waits for.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
