import { render } from 'preact';
import { Enroll } from './enroll.tsx';

const ticket = location.pathname.split('/')[2];
render(<Enroll ticket={ticket || undefined} />, document.querySelector('#page') as Element);
