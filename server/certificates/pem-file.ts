import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type Certificate, readCertificate } from './certificate.ts';

/** In bytes. All the roots in FIDO's metadata have less. */
const MAX_SIZE = 4 * 1024 * 1024;

/**
 * Reads the certificates in a file, in PEM (RFC 7468). Text around them is allowed.
 *
 * @throws Error when it cannot be read, holds no certificate, or holds one that is wrong
 */
export function readPemFile(path: string): Certificate[] {
  const blocks = [...readText(path).matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) throw new Error('there is none in it');
  return blocks.map(([, base64 = ''], index) => {
    try {
      return readCertificate(Buffer.from(base64, 'base64'));
    } catch (error) {
      throw new Error(`number ${index + 1} of them: ${(error as Error).message}`);
    }
  });
}

function readText(path: string): string {
  // A FIFO must not block.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > MAX_SIZE) throw new Error(`it should be a file of at most ${MAX_SIZE} bytes`);
    const content = Buffer.alloc(stats.size);
    return content.toString('utf8', 0, readSync(file, content));
  } finally {
    closeSync(file);
  }
}
