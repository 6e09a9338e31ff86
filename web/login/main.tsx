import { render } from 'preact';
import { Login } from './login.tsx';

const base = location.pathname.split('/').slice(0, 3).join('/');
render(<Login base={base} />, document.querySelector('#page') as Element);

// The Back button may bring the page back as it was, asking for a touch that nothing waits for.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
