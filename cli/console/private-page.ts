import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A page on the disk that leads on to a secret address. */
export interface PrivatePage {
  url: string;
  remove: () => void;
}

/**
 * Writes a page that leads on to a secret address, which only this user can read: for systems that do not tell whose a connection is (macOS),
 * where a listener (one-time-address.ts) would serve every user of the machine. On Linux this is no way: browsers from Snap and Flatpak may
 * not read the folder.
 *
 * @param location the secret address
 * @param folder a folder of mode 0700
 */
export function privatePage(location: URL, folder: string): PrivatePage {
  const file = join(folder, `console-${randomBytes(8).toString('hex')}.html`);
  const href = location.href.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  const page = `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${href}">
<title>AWS console</title>
<a href="${href}">AWS console</a>
`;
  // `wx`: nothing that is there already is written to.
  writeFileSync(file, page, { mode: 0o600, flag: 'wx' });
  return { url: pathToFileURL(file).href, remove: () => rmSync(file, { force: true }) };
}
