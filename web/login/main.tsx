import { render } from 'preact';
import { Login } from './login.tsx';

const uid = location.pathname.split('/')[2] ?? '';
render(
  <Login base={`/login/${encodeURIComponent(decodeURIComponent(uid))}`} />,
  document.body.firstElementChild as Element,
);
