import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { settingRefused } from '../../problem/setting-refused.ts';

/** How the server's certificate is checked, in the words of Node's `tls.connect`. */
export interface Tls {
  rejectUnauthorized: boolean;
  /** Certificates in PEM. */
  ca?: string | readonly string[];
  cert?: string;
  key?: string;
  /** Only where the name does not matter. */
  checkServerIdentity?: () => undefined;
}

/** libpq's `allow` and `prefer` would give up encryption for whoever asks. */
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'];

/**
 * Reads libpq's `sslmode` and the files beside it (PostgreSQL's manual, section "SSL Support"). The default is `verify-full`, and
 * `disable` on this machine.
 *
 * @param host a host, or the folder of a Unix socket
 * @returns false for a connection without TLS
 * @throws Problem `setting-refused` for another mode, or for a file that cannot be used
 */
export function readTls(host: string, parameters: ReadonlyMap<string, string>): Tls | false {
  const socket = host.startsWith('/');
  const here = socket || ['localhost', '127.0.0.1', '::1'].includes(host);
  const root = parameters.get('sslrootcert');
  const mode = parameters.get('sslmode') ?? (here && root === undefined ? 'disable' : 'verify-full');
  if (!MODES.includes(mode)) {
    throw refused(`sslmode=${mode.slice(0, 40)}`, `with an sslmode of ${MODES.join(', ')}`);
  }
  const files = ['sslrootcert', 'sslcert', 'sslkey'].filter((name) => parameters.has(name));
  if (mode === 'disable' || socket) {
    if (files.length === 0 && (mode === 'disable' || !parameters.has('sslmode'))) return false;
    throw refused(`${files[0] ?? 'sslmode'}, but no TLS`, 'without it, or with a host and an sslmode that has TLS');
  }
  const own = readOwn(parameters);
  if (mode === 'require' && root === undefined) return { rejectUnauthorized: false, ...own };
  const ca = root === undefined || root === 'system' ? {} : { ca: readCertificates('sslrootcert', root) };
  // As in libpq, `require` with a file of certificates is `verify-ca`.
  const anyName = mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined };
  return { rejectUnauthorized: true, ...ca, ...anyName, ...own };
}

/** The certificate that this server shows to the database, if it has one. */
function readOwn(parameters: ReadonlyMap<string, string>): { cert?: string; key?: string } {
  const [cert, key] = [parameters.get('sslcert'), parameters.get('sslkey')];
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined || key === undefined) {
    throw refused('one of sslcert and sslkey', 'with both of them, or with neither');
  }
  return { cert: readCertificates('sslcert', cert), key: readText('sslkey', key) };
}

function readCertificates(name: string, file: string): string {
  const text = readText(name, file);
  try {
    new X509Certificate(text);
  } catch {
    throw refused(`${name}=${file}`, `with a ${name} that holds certificates in PEM`);
  }
  return text;
}

function readText(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refused(`${name}=${file}`, `with a ${name} that can be read (${code})`);
  }
}

function refused(found: string, expected: string) {
  return settingRefused('VOUCH_DATABASE_URL', `(a URL with ${found})`, `a URL ${expected}`);
}
