import type { Config } from '../config/config.ts';
import { namingContact, YOUR_ADMINISTRATOR } from '../problem/administrator.ts';

/** What every page says about its server. */
export type AboutServer = Pick<Config, 'issuer' | 'teamName' | 'contact'>;

/**
 * Fills a built page (web/template.html) with what it says about its server: for its script as `<meta>` elements, because our
 * Content-Security-Policy allows no script inside the page, and as words for people whose browser runs no script.
 */
export function fillPage(html: string, { issuer, teamName, contact }: AboutServer): string {
  const administrator = escapeHtml(namingContact(YOUR_ADMINISTRATOR, contact?.text));
  const words: Record<string, string> = {
    issuer: escapeHtml(issuer),
    host: escapeHtml(new URL(issuer).host),
    team: escapeHtml(teamName ?? ''),
    contact: escapeHtml(contact?.text ?? ''),
    'contact-link': escapeHtml(contact?.link ?? ''),
    server: teamName === undefined ? 'a Vouch server' : `the Vouch server of ${escapeHtml(teamName)}`,
    administrator: contact?.link === undefined ? administrator : linkTo(contact.link, contact.text, administrator),
  };
  return html.replace(/\{\{([a-z-]+)\}\}/g, (token, name: string) => words[name] ?? token);
}

function linkTo(link: string, text: string, sentence: string): string {
  const shown = escapeHtml(text);
  return sentence.replace(shown, () => `<a class="link" href="${escapeHtml(link)}">${shown}</a>`);
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
