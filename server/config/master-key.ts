import { settingRefused } from '../problem/setting-refused.ts';
import { readKeyText } from '../signing/master-key-file.ts';
import { type ConfiguredMasterKey, parseMasterKey } from '../signing/wrapped-master-key.ts';

/**
 * The configured master key.
 *
 * @param issuer the server that it is for
 * @param canMake whether the server may make a key file beside the database
 * @returns undefined if it may and none is configured
 * @throws Problem `setting-refused` when it is missing or wrong
 */
export function readMasterKey(
  env: Record<string, string | undefined>,
  issuer: string,
  canMake: boolean,
): ConfiguredMasterKey | undefined {
  const { VOUCH_MASTER_KEY: value, VOUCH_MASTER_KEY_FILE: file } = env;
  if (value !== undefined && file !== undefined) {
    throw settingRefused(
      'VOUCH_MASTER_KEY_FILE',
      file,
      'unset, or VOUCH_MASTER_KEY should be: only one of them may hold the key',
    );
  }
  if (value !== undefined) return parseMasterKey('VOUCH_MASTER_KEY', value, issuer);
  if (file !== undefined) {
    const text = readKeyText('VOUCH_MASTER_KEY_FILE', file, env.CREDENTIALS_DIRECTORY);
    return parseMasterKey(`The key in ${file}`, text, issuer);
  }
  if (canMake) return undefined;
  throw settingRefused(
    'VOUCH_MASTER_KEY',
    undefined,
    '32 random bytes in base64, as `openssl rand -base64 32` prints them (VOUCH_MASTER_KEY_FILE names a file that holds them)',
  );
}
