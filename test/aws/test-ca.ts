import 'reflect-metadata'; // must be loaded before @peculiar/x509
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
 * A certificate authority for a day, which signs for any host: never trust it outside a test. Its keys exist only in memory. RFC
 * 5280.
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

  /** The CA's certificate, for settings such as `http.sslCAInfo`. */
  get pem(): string {
    return `${this.#certificate.toString('pem')}\n`;
  }

  /** The key and certificate of a TLS server for `host`, created at first use. */
  contextFor(host: string): Promise<SecureContext> {
    const context = this.#contexts.get(host) ?? this.#issue(host);
    this.#contexts.set(host, context);
    return context;
  }

  /**
   * A key and a defective certificate for a TLS server.
   *
   * @param wrong `days`: the days from now between which it is valid; `alone`: whether the CA's certificate is missing from the chain
   */
  unfitContextFor(host: string, wrong: { days?: [from: number, to: number]; alone?: boolean }): Promise<SecureContext> {
    return this.#issue(host, wrong);
  }

  async #issue(host: string, wrong: { days?: [number, number]; alone?: boolean } = {}): Promise<SecureContext> {
    return createSecureContext(await this.pairFor(host, wrong));
  }

  /** The same in PEM, for a server that reads files. */
  async pairFor(
    host: string,
    { days, alone = false }: { days?: [number, number]; alone?: boolean } = {},
  ): Promise<{ cert: string; key: string }> {
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
    return {
      cert: `${certificate.toString('pem')}\n${alone ? '' : this.pem}`,
      key: String(KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })),
    };
  }
}

const generateKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const validity = (from = -1 / 24, to = 1) => ({
  notBefore: new Date(Date.now() + from * 24 * hour),
  notAfter: new Date(Date.now() + to * 24 * hour),
});
