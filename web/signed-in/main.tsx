import { render } from 'preact';
import { lastOutcome } from '../ui/outcome.ts';
import { SignedIn } from './signed-in.tsx';

const failed = new URLSearchParams(location.search).has('failed');
if (failed) document.title = 'Not signed in · Vouch';

render(<SignedIn failed={failed} outcome={lastOutcome()} />, document.querySelector('#page') as Element);
