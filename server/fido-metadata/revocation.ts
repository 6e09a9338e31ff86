import 'reflect-metadata';
import { CRLDistributionPointsExtension, X509Certificate, X509Crl } from '@peculiar/x509';
import type { Path } from '../certificates/chain.ts';
import { fetchAtMost } from '../network/fetch-at-most.ts';

/** In bytes. Lists come over plain HTTP, where anybody on the way can answer, so only so much is read. */
const MAX_LIST = 4 * 1024 * 1024;

/** The most lists of a certificate. */
const MOST_LISTS = 4;

/**
 * Looks into the lists of revoked certificates that the certificates of a path name (RFC 5280, sections 4.2.1.13 and 5.1). A list that
 * cannot be fetched or read does not count: somebody who could keep it from us could keep the metadata from us too. (SimpleWebAuthn
 * does the same, but reads answers of any length, and follows redirections anywhere.)
 *
 * @param signal ends the waiting, and its reason is thrown
 * @throws Error when a certificate was revoked, or when somebody else has signed its list
 */
export async function checkNotRevoked({ certificates }: Path, signal: AbortSignal): Promise<void> {
  const parsed = certificates.map(({ der }) => new X509Certificate(Uint8Array.from(der)));
  for (const [index, certificate] of parsed.entries()) {
    const issuer = parsed[index + 1];
    // Trust in the last one is not for a list to give.
    if (issuer === undefined) return;
    for (const url of listsOf(certificate)) {
      const list = await fetchList(url, signal);
      if (list === undefined) continue;
      if (!(await list.verify({ publicKey: issuer.publicKey }))) {
        throw new Error(`the list of revoked certificates at ${url} is not signed by their authority`);
      }
      if (list.findRevoked(certificate) !== null) throw new Error('a certificate of its signature was revoked');
    }
  }
}

function listsOf(certificate: X509Certificate): string[] {
  const points = certificate.getExtension(CRLDistributionPointsExtension)?.distributionPoints ?? [];
  return points
    .flatMap(({ distributionPoint }) => distributionPoint?.fullName ?? [])
    .map(({ uniformResourceIdentifier: url }) => url ?? '')
    .filter((url) => /^https?:\/\//i.test(url))
    .slice(0, MOST_LISTS);
}

async function fetchList(url: string, signal: AbortSignal): Promise<X509Crl | undefined> {
  try {
    return new X509Crl(Uint8Array.from(await fetchAtMost(url, MAX_LIST, signal)));
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
