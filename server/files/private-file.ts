import { dirname, resolve } from 'node:path';
import { settingRefused } from '../problem/setting-refused.ts';
import { type ExpectedContent, readSettingFile } from './setting-file.ts';

interface Expected extends ExpectedContent {
  /** What to do, where a platform sets the mode. */
  otherwise?: string;
  /** systemd's folder of the service's credentials ($CREDENTIALS_DIRECTORY), if there is one. */
  credentials?: string | undefined;
  /** Whether a group may read root's file. PostgreSQL has the same rule for its TLS key ("Secure TCP/IP Connections with SSL"). */
  groupOfRoot?: boolean;
}

/**
 * Reads a file with a secret, which only its owner can read.
 *
 * @param setting where the file is named, for the error
 * @throws Problem `setting-refused` when it cannot be read, is no regular file, is too long, or when others can read it
 */
export function readPrivateFile(setting: string, file: string, expected: Expected): string {
  return readSettingFile(setting, file, expected, (found) => checkReaders(setting, file, found, expected));
}

function checkReaders(
  setting: string,
  file: string,
  { mode, uid }: { mode: number; uid: number },
  { credentials, groupOfRoot, otherwise }: Expected,
): void {
  // systemd admits the service's user by an access control list, which shows as a right of the group, in a folder that is closed to
  // all others (systemd.exec(5), "Credentials").
  const closed = credentials !== undefined && dirname(resolve(file)) === resolve(credentials);
  const forbidden = closed ? 0o007 : groupOfRoot === true && uid === 0 ? 0o037 : 0o077;
  if ((mode & forbidden) !== 0) {
    throw settingRefused(
      setting,
      file,
      `a file that only its owner can read (its mode is 0${(mode & 0o777).toString(8)}): chmod 600 it, ` +
        `make a new key if others could read this one${otherwise === undefined ? '' : `, and ${otherwise}`}`,
    );
  }
  const me = process.geteuid?.();
  if (me !== 0 && uid !== me && uid !== 0) {
    throw settingRefused(
      setting,
      file,
      `a file that belongs to the server's user or to root (its owner is user ${uid})`,
    );
  }
}
