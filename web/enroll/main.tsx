import { render } from 'preact';
import { Enrolment } from './enrolment.tsx';

const ticket = location.pathname.split('/')[2];
render(<Enrolment ticket={ticket || undefined} />, document.querySelector('#page') as Element);
