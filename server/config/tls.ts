import { checkTlsPair, readTlsFiles, type TlsFiles, type TlsPair } from '../network/tls.ts';
import { settingRefused } from '../problem/setting-refused.ts';

/**
 * The server's own certificate and key.
 *
 * @param env VOUCH_TLS_CERT and VOUCH_TLS_KEY
 * @returns undefined if neither is set: a proxy ends TLS
 * @throws Problem `setting-refused`
 */
export function readTls(
  env: Record<string, string | undefined>,
  issuer: URL,
): { files: TlsFiles; pair: TlsPair } | undefined {
  const { VOUCH_TLS_CERT: certFile, VOUCH_TLS_KEY: keyFile } = env;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined) throw settingRefused('VOUCH_TLS_CERT', certFile, 'set, because VOUCH_TLS_KEY is');
  if (keyFile === undefined) throw settingRefused('VOUCH_TLS_KEY', keyFile, 'set, because VOUCH_TLS_CERT is');
  if (issuer.protocol !== 'https:') {
    throw settingRefused('VOUCH_TLS_CERT', certFile, 'unset, because VOUCH_ISSUER is not an https URL');
  }
  const files = { certFile, keyFile, host: issuer.hostname, credentials: env.CREDENTIALS_DIRECTORY };
  return { files, pair: checkTlsPair(files, readTlsFiles(files)) };
}
