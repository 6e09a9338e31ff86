import 'reflect-metadata'; // @peculiar/x509 wants it loaded before itself
import { KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hour = 60 * 60_000;

/**
 * A certificate authority for a day, which signs for whoever asks: it must never be trusted outside a test. Its keys
 * are in memory alone. RFC 5280.
 */
export class TestCa {
  readonly #keys: CryptoKeyPair;
  readonly #certificate: X509Certificate;
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  private constructor(keys: CryptoKeyPair, certificate: X509Certificate) {
    this.#keys = keys;
    this.#certificate = certificate;
  }

  static async create(): Promise<TestCa> {
    const keys = await generateKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=Vouch test CA (of no worth)',
      keys,
      ...validity(),
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestCa(keys, certificate);
  }

  /** The CA's certificate, for `http.sslCAInfo` and its like. */
  get pem(): string {
    return `${this.#certificate.toString('pem')}\n`;
  }

  /** What a TLS server needs to be `host`. Made when first asked for. */
  contextFor(host: string): Promise<SecureContext> {
    const context = this.#contexts.get(host) ?? this.#issue(host);
    this.#contexts.set(host, context);
    return context;
  }

  /**
   * What a TLS server needs that something is wrong with.
   *
   * @param wrong the days from now between which it is valid; whether the CA's own certificate is kept back
   */
  unfitContextFor(host: string, wrong: { days?: [from: number, to: number]; alone?: boolean }): Promise<SecureContext> {
    return this.#issue(host, wrong);
  }

  async #issue(
    host: string,
    { days, alone = false }: { days?: [number, number]; alone?: boolean } = {},
  ): Promise<SecureContext> {
    const keys = await generateKeys();
    const certificate = await X509CertificateGenerator.create({
      subject: 'CN=Vouch test',
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      ...validity(...(days ?? [])),
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
        await AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return createSecureContext({
      cert: `${certificate.toString('pem')}\n${alone ? '' : this.pem}`,
      key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }),
    });
  }
}

const generateKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const validity = (from = -1 / 24, to = 1) => ({
  notBefore: new Date(Date.now() + from * 24 * hour),
  notAfter: new Date(Date.now() + to * 24 * hour),
});
