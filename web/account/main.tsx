import { render } from 'preact';
import { AccountPage } from './account-page.tsx';

render(<AccountPage />, document.querySelector('#page') as Element);

// The Back button may bring the page back as it was, with the lists of a person who has since signed out.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
