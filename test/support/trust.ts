import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** Lets this process trust a certificate authority. @param pem its certificate @returns what ends that */
export function trust(pem: string): () => void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, pem]);
  return () => setDefaultCACertificates(before);
}
