import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { settingRefused } from '../../problem/setting-refused.ts';

/**
 * The file that a `sqlite:` URL names.
 *
 * @throws Problem `setting-refused` when it is another URL, or the file's folder is not there
 */
export function fileOfUrl(url: string): string {
  const file = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  // To SQLite `:memory:` and `file:…` are no files of that name.
  if (file === '' || file.startsWith('//') || /^(:|file:)/.test(file)) {
    throw settingRefused('VOUCH_DATABASE_URL', url, 'sqlite:FILE, such as sqlite:/var/lib/vouch/vouch.db');
  }
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory()) {
    throw settingRefused('VOUCH_DATABASE_URL', url, 'sqlite:FILE in a folder that exists');
  }
  return file;
}
