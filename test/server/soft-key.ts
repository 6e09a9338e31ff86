import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { isoCBOR } from '@simplewebauthn/server/helpers';

/** What a ceremony does differently. The default of every field is correct. */
export interface Ceremony {
  type?: string;
  challenge?: string;
  origin?: string;
  crossOrigin?: unknown;
  topOrigin?: string;
  rpId?: string;
  userPresent?: boolean;
  userVerified?: boolean;
  /** Whether the credential may be copied to other devices. */
  backupEligible?: boolean;
  /** Whether the credential reports that it has been copied. */
  backedUp?: boolean;
  counter?: number;
  credentialId?: string;
  /** The ID in the authenticator data, if it differs. */
  signedId?: string;
  /** Sent instead of the public key. */
  publicKey?: CoseKey;
  /** With null the authenticator does not name its user. */
  userHandle?: string | null;
  /** Whether the signature is over something else. */
  badSignature?: boolean;
  attestation?: 'none' | 'self' | Certificate;
  /** The attestation's format, if it is not `packed` or `none`. */
  format?: string;
  /** Fields to add to the attestation statement or to replace in it. */
  statement?: Record<string, unknown>;
  aaguid?: string;
  /** Changes the authenticator data before it is signed. */
  changeData?: (data: Buffer) => Buffer;
  /** Changes the whole attestation object after it is signed. */
  changeObject?: (object: Buffer) => Buffer;
}

/** A COSE key (RFC 9052, section 7). */
export type CoseKey = Map<number, unknown>;

/** An attestation certificate with its private key. */
export interface Certificate {
  der: Buffer;
  privateKey: KeyObject;
  /** The certificates (DER) that the key shows after it. */
  chain?: Buffer[];
}

const FLAG = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 } as const;

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest();

/** A security key in software. It does what a real one does, and every wrong thing on request. */
export class SoftKey {
  readonly id: string = randomBytes(32).toString('base64url');
  readonly #publicJwk: { x: string; y: string };
  readonly #privateKey: KeyObject;
  readonly #curve: 'P-256' | 'P-384';
  readonly #aaguid: string;
  readonly #counts: boolean;
  /** The origin of the page that the browser shows. */
  readonly #origin: string;
  counter = 0;
  userHandle: string | undefined;

  constructor(origin: string, options: { curve?: 'P-256' | 'P-384'; aaguid?: string; counts?: boolean } = {}) {
    this.#origin = origin;
    this.#curve = options.curve ?? 'P-256';
    this.#aaguid = options.aaguid ?? '00000000-0000-0000-0000-000000000000';
    this.#counts = options.counts ?? true;
    const pair = generateKeyPairSync('ec', { namedCurve: this.#curve });
    this.#privateKey = pair.privateKey;
    this.#publicJwk = pair.publicKey.export({ format: 'jwk' }) as { x: string; y: string };
  }

  /** The COSE key in base64url, as it is stored. */
  get publicKey(): string {
    return Buffer.from(isoCBOR.encode(this.#cosePublicKey() as never)).toString('base64url');
  }

  /** `navigator.credentials.create` */
  create(options: PublicKeyCredentialCreationOptionsJSON, how: Ceremony = {}): RegistrationResponseJSON {
    this.userHandle = options.user.id;
    const id = how.credentialId ?? this.id;
    const clientData = this.#clientData('webauthn.create', options.challenge, how);
    const rawId = Buffer.from(how.signedId ?? id, 'base64url');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(rawId.length);
    const written = Buffer.concat([
      this.#authenticatorData(options.rp.id ?? '', FLAG.attested, how),
      Buffer.from((how.aaguid ?? this.#aaguid).replaceAll('-', ''), 'hex'),
      length,
      rawId,
      isoCBOR.encode((how.publicKey ?? this.#cosePublicKey()) as never),
    ]);
    const authData = how.changeData?.(written) ?? written;
    const object = this.#attestationObject(authData, clientData, rawId, how);
    return {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString('base64url'),
        attestationObject: (how.changeObject?.(object) ?? object).toString('base64url'),
        transports: ['usb'],
      },
    };
  }

  /** `navigator.credentials.get` */
  get(options: PublicKeyCredentialRequestOptionsJSON, how: Ceremony = {}): AuthenticationResponseJSON {
    const id = how.credentialId ?? this.id;
    const clientData = this.#clientData('webauthn.get', options.challenge, how);
    const authData = this.#authenticatorData(options.rpId ?? '', 0, how);
    const signed = Buffer.concat([authData, sha256(clientData)]);
    const signature = this.#sign(how.badSignature ? Buffer.concat([signed, Buffer.from('!')]) : signed);
    const userHandle = how.userHandle === undefined ? this.userHandle : how.userHandle;
    return {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
        ...(userHandle === null || userHandle === undefined ? {} : { userHandle }),
      },
    };
  }

  #clientData(type: string, challenge: string, how: Ceremony): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: how.type ?? type,
        challenge: how.challenge ?? challenge,
        origin: how.origin ?? this.#origin,
        crossOrigin: how.crossOrigin === undefined ? false : how.crossOrigin,
        ...(how.topOrigin === undefined ? {} : { topOrigin: how.topOrigin }),
      }),
    );
  }

  /** WebAuthn, section 6.1: hash of the RP ID, flags, signature counter. */
  #authenticatorData(rpId: string, flags: number, how: Ceremony): Buffer {
    if (this.#counts && how.counter === undefined) this.counter += 1;
    const rest = Buffer.alloc(5);
    rest[0] =
      flags |
      ((how.userPresent ?? true) ? FLAG.userPresent : 0) |
      ((how.userVerified ?? true) ? FLAG.userVerified : 0) |
      (how.backupEligible ? FLAG.backupEligible : 0) |
      (how.backedUp ? FLAG.backedUp : 0);
    rest.writeUInt32BE(how.counter ?? this.counter, 1);
    return Buffer.concat([sha256(how.rpId ?? rpId), rest]);
  }

  /** RFC 9053, section 7.1.1 */
  #cosePublicKey(): CoseKey {
    const [algorithm, curve] = this.#curve === 'P-256' ? [-7, 1] : [-35, 2];
    const { x, y } = this.#publicJwk;
    return new Map<number, number | Uint8Array>([
      [1, 2],
      [3, algorithm ?? 0],
      [-1, curve ?? 0],
      [-2, Uint8Array.from(Buffer.from(x, 'base64url'))],
      [-3, Uint8Array.from(Buffer.from(y, 'base64url'))],
    ]);
  }

  /** WebAuthn, sections 8.2 (packed), 8.6 (fido-u2f) and 8.7 (none) */
  #attestationObject(authData: Buffer, clientData: Buffer, id: Buffer, how: Ceremony): Buffer {
    const attestation = how.attestation ?? 'none';
    const format = how.format ?? (attestation === 'none' ? 'none' : 'packed');
    const statement = new Map<string, unknown>();
    if (attestation !== 'none') {
      const hash = sha256(how.badSignature ? 'something else' : clientData);
      const point = ['x', 'y'].map((part) => Buffer.from(this.#publicJwk[part as 'x' | 'y'], 'base64url'));
      const signed =
        format === 'fido-u2f'
          ? Buffer.concat([Buffer.from([0]), authData.subarray(0, 32), hash, id, Buffer.from([4]), ...point])
          : Buffer.concat([authData, hash]);
      if (format !== 'fido-u2f') statement.set('alg', -7);
      if (attestation === 'self') {
        statement.set('sig', Uint8Array.from(this.#sign(signed)));
      } else {
        statement.set('sig', Uint8Array.from(createSign('sha256').update(signed).sign(attestation.privateKey)));
        statement.set(
          'x5c',
          [attestation.der, ...(attestation.chain ?? [])].map((der) => Uint8Array.from(der)),
        );
      }
    }
    for (const [name, value] of Object.entries(how.statement ?? {})) statement.set(name, value);
    const whole = new Map<string, unknown>([
      ['fmt', format],
      ['attStmt', statement],
      ['authData', Uint8Array.from(authData)],
    ]);
    return Buffer.from(isoCBOR.encode(whole as never));
  }

  #sign(data: Uint8Array): Buffer {
    return sign(this.#curve === 'P-256' ? 'sha256' : 'sha384', data, this.#privateKey);
  }
}
