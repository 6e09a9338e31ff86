import { aboutServer } from './about-server.ts';

/** How to reach the administrator, if the server says so. */
export function Contact() {
  const { contact, contactLink } = aboutServer();
  if (contactLink === '') return <>{contact}</>;
  // In a tab of its own: this one may be asking for a touch.
  return (
    <a class="link" data-long={contact.length > 32} href={contactLink} target="_blank" rel="noopener noreferrer">
      {contact}
    </a>
  );
}
