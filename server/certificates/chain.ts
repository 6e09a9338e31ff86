import type { Certificate } from './certificate.ts';

/** A chain from a certificate to a trusted one, which is the last. */
export interface Path {
  certificates: readonly Certificate[];
  anchor: Certificate;
  /** When all of them are valid, in milliseconds since the epoch. */
  from: number;
  until: number;
}

/**
 * The paths by which a certificate leads to trusted ones (RFC 5280, section 6.1): each certificate of the chain must be signed by the
 * next, until one is signed by a trusted certificate, or is one itself. Certificates after that do not matter. Several trusted
 * certificates may have one name and key, and differ in their validity.
 *
 * Names, key identifiers, key usage, the right to be an authority, path lengths and critical extensions are checked here; the caller
 * checks the time. SimpleWebAuthn's `validateCertificatePath` checks less: it lets an end certificate sign others, and accepts any
 * chain when nothing is trusted. It also asks for lists of revoked certificates, so that a sign-in would wait for other servers.
 */
export function findPaths(chain: readonly Certificate[], trusted: readonly Certificate[]): Path[] {
  const found: Path[] = [];
  // How many authorities below an issuer count for its path length; self-issued ones do not (RFC 5280, section 4.2.1.9).
  let below = 0;
  for (const [index, certificate] of chain.entries()) {
    if (certificate.strange) break;
    if (index > 0 && !certificate.selfIssued) below += 1;
    const upToHere = chain.slice(0, index + 1);
    for (const anchor of trusted) {
      if (anchor.der.equals(certificate.der)) {
        // Further up the chain, it was found as the one that signed the certificate before.
        if (index === 0) found.push(pathOf(upToHere));
      } else if (mayIssue(anchor, below, true) && hasSigned(anchor, certificate)) {
        found.push(pathOf([...upToHere, anchor]));
      }
    }
    const next = chain[index + 1];
    if (next === undefined || !mayIssue(next, below, false) || !hasSigned(next, certificate)) break;
  }
  return found;
}

/**
 * Whether a certificate may sign others. One that is trusted need not say so: old roots have no extensions, and trust in a key is not
 * for the certificate to give.
 */
function mayIssue({ authority, pathLength, strange }: Certificate, below: number, trusted: boolean): boolean {
  return (authority ?? trusted) && below <= pathLength && !strange;
}

/** Compares names and key identifiers, looks for the right to sign certificates in the key usage, and verifies the signature. */
function hasSigned(issuer: Certificate, subject: Certificate): boolean {
  try {
    return subject.node.checkIssued(issuer.node) && subject.node.verify(issuer.node.publicKey);
  } catch {
    // OpenSSL does not know the kind of key, or it does not fit the signature.
    return false;
  }
}

function pathOf(certificates: readonly Certificate[]): Path {
  return {
    certificates,
    anchor: certificates.at(-1) as Certificate,
    from: Math.max(...certificates.map(({ from }) => from)),
    until: Math.min(...certificates.map(({ until }) => until)),
  };
}
