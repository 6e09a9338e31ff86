import { isDomain } from '../network/domain.ts';
import { settingRefused } from '../problem/setting-refused.ts';
import { isReadable } from '../text/readable-text.ts';

/** Whom people write to when pages and problems say "your administrator". */
export interface Contact {
  text: string;
  /** A `mailto:` or `https:` URL; undefined when the text is neither an address nor a URL. */
  link: string | undefined;
}

/** In characters. The command line prints at most 300 of a problem. */
const LONGEST = 100;

const EXPECTED = `an e-mail address, an https URL, or a short text such as #it-help on Slack, of at most ${LONGEST} characters`;

/**
 * Reads who the administrator is. What looks like an address or a URL must be one, so that a mistyped one is found here, and not by the
 * person who needs help.
 *
 * @param value VOUCH_CONTACT
 * @throws Problem `setting-refused`
 */
export function readContact(value: string | undefined): Contact | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if ([...text].length > LONGEST || !isReadable(text)) throw settingRefused('VOUCH_CONTACT', value, EXPECTED);
  if (/^[a-z][a-z\d+.-]*:\S/i.test(text)) return { text, link: readUrl(text) };
  if (/^\S+@\S+$/.test(text)) return { text, link: readEmail(text) };
  return { text, link: undefined };
}

function readUrl(text: string): string {
  const url = text.includes(' ') ? null : URL.parse(text);
  if (url?.protocol === 'https:' && !url.username && !url.password && isDomain(url.hostname)) return url.href;
  throw settingRefused('VOUCH_CONTACT', text, `${EXPECTED} (of URLs only https, of addresses only the address)`);
}

/** RFC 5321, section 4.1.2: the local parts that people have, without quotes; RFC 6068, section 2: what a link must encode. */
function readEmail(text: string): string {
  const [, local = '', domain = ''] = /^([\w.!#$%&'*+/=?^{|}~-]{1,64})@([^@]+)$/.exec(text) ?? [];
  if (local !== '' && isDomain(domain.toLowerCase())) return `mailto:${encodeURIComponent(local)}@${domain}`;
  throw settingRefused('VOUCH_CONTACT', text, EXPECTED);
}
