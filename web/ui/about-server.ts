/** What the server put into the page about itself (server/http/page-html.ts). All of it may be missing. */
export interface AboutServer {
  team: string;
  /** How to reach the administrator: an address, a URL or a few words. */
  contact: string;
  /** Where the contact leads, if it is an address or a URL. */
  contactLink: string;
}

export function aboutServer(): AboutServer {
  return { team: meta('team'), contact: meta('contact'), contactLink: meta('contact-link') };
}

function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="vouch-${name}"]`)?.content ?? '';
}
