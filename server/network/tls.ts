import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readPrivateFile } from '../files/private-file.ts';
import { readSettingFile } from '../files/setting-file.ts';
import { settingRefused } from '../problem/setting-refused.ts';

/** In bytes: a chain has some thousand. */
const MAX_SIZE = 1024 * 1024;

/** Where the server's own certificate and key are. */
export interface TlsFiles {
  /** PEM: the certificate for the server's name, and the chain after it. */
  certFile: string;
  /** PEM. */
  keyFile: string;
  /** The server's name, which the certificate must have. */
  host: string;
  /** systemd's folder of the service's credentials, if there is one. */
  credentials?: string | undefined;
}

/** A certificate with its key, as `node:tls` takes them. */
export interface TlsPair {
  cert: string;
  key: string;
  minVersion: 'TLSv1.2';
  /** When the certificate ends, in milliseconds since the epoch. */
  expiresAt: number;
}

/**
 * What the two files hold, whether it is of use or not.
 *
 * @throws Problem `setting-refused` when one cannot be read, or when others can read the key
 */
export function readTlsFiles({ certFile, keyFile, credentials }: TlsFiles): { cert: string; key: string } {
  return {
    cert: readSettingFile('VOUCH_TLS_CERT', certFile, {
      holds: 'a certificate and its chain in PEM',
      maxSize: MAX_SIZE,
    }),
    key: readPrivateFile('VOUCH_TLS_KEY', keyFile, {
      holds: 'the private key',
      maxSize: MAX_SIZE,
      credentials,
      groupOfRoot: true,
    }),
  };
}

/**
 * Makes sure that a certificate and a key belong together, and that the certificate is for the server's name.
 *
 * @throws Problem `setting-refused`
 */
export function checkTlsPair(files: TlsFiles, { cert, key }: { cert: string; key: string }): TlsPair {
  const { certFile, keyFile, host } = files;
  const certificate = orRefuse(
    'VOUCH_TLS_CERT',
    certFile,
    'a file that holds a certificate and its chain in PEM',
    () => {
      return new X509Certificate(cert);
    },
  );
  const privateKey = orRefuse(
    'VOUCH_TLS_KEY',
    keyFile,
    'a file with a private key in PEM, without a passphrase',
    () => {
      return createPrivateKey(key);
    },
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw settingRefused('VOUCH_TLS_KEY', keyFile, `the key of the certificate in ${certFile}`);
  }
  if (certificate.checkHost(host) === undefined) {
    throw settingRefused('VOUCH_TLS_CERT', certFile, `a certificate for ${host}`);
  }
  const pair: TlsPair = { cert, key, minVersion: 'TLSv1.2', expiresAt: certificate.validToDate.getTime() };
  orRefuse('VOUCH_TLS_CERT', certFile, 'a certificate and a chain that OpenSSL accepts', () =>
    createSecureContext(pair),
  );
  return pair;
}

function orRefuse<Result>(setting: string, file: string, expected: string, read: () => Result): Result {
  try {
    return read();
  } catch {
    // What OpenSSL says helps nobody, and could quote the file.
    throw settingRefused(setting, file, expected);
  }
}
