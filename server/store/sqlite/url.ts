import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { settingRefused } from '../../problem/setting-refused.ts';

/**
 * The file that a `sqlite:` URL names.
 *
 * @throws Problem `setting-refused` when it is another URL, or when the file's folder does not exist
 */
export function fileOfUrl(url: string): string {
  const file = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  // SQLite would not take `:memory:` and `file:…` for names of files.
  if (file === '' || file.startsWith('//') || /^(:|file:)/.test(file)) {
    // Another program's URL may have a password in it.
    const shown = url.replace(/^(\w[\w+.-]*:\/\/).+$/s, '$1…');
    throw settingRefused(
      'VOUCH_DATABASE_URL',
      shown,
      'sqlite:FILE, such as sqlite:/var/lib/vouch/vouch.db, or postgres://USER@HOST:PORT/DATABASE',
    );
  }
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory()) {
    throw settingRefused('VOUCH_DATABASE_URL', url, 'sqlite:FILE in a folder that exists');
  }
  return file;
}
