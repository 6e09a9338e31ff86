import type { JWK } from 'jose';
import type { KmsArn } from '../kms/key-arn.ts';
import { Kms } from '../kms/kms.ts';
import { Problem } from '../problem/problem.ts';
import { checkSigns } from './check-key.ts';
import { DATABASE, makeKey, type NewKey } from './key-rows.ts';
import { openKmsKey, readKmsKey } from './kms-key.ts';
import { sealJwk } from './sealed-jwk.ts';
import type { SigningKey } from './signing-key.ts';
import { openStoredKey } from './stored-key.ts';

/** Where the private halves of new keys are: in the database, or in AWS KMS. Keys of the other place can still be opened. */
export class KeyPlace {
  /** The KMS key that is to sign; undefined for keys in the database. */
  readonly arn: KmsArn | undefined;
  readonly #kms: Kms;

  constructor(arn?: KmsArn, kms = new Kms()) {
    this.arn = arn;
    this.#kms = kms;
  }

  /**
   * A key that can be stored: a new one, or the one in KMS.
   *
   * @param master the master key, 32 bytes
   * @throws Problem `kms-refused` or `kms-unreachable`
   */
  async key(master: Buffer): Promise<NewKey> {
    if (this.arn === undefined) return makeKey(master);
    const { jwk, source } = await readKmsKey(this.#kms, this.arn);
    return { kid: jwk.kid, jwe: await sealJwk(jwk, master), source };
  }

  /**
   * Opens a stored key. It asks KMS nothing.
   *
   * @param jwk with its private half, if that is in the database
   * @param source where its private half is
   * @throws Problem `signing-key-locked` when this version does not know the place
   */
  async open(jwk: JWK & { kid: string }, source: string): Promise<SigningKey> {
    if (source === DATABASE) return openStoredKey(jwk);
    const key = openKmsKey(jwk, source, this.#kms);
    if (key !== undefined) return key;
    throw new Problem({
      kind: 'signing-key-locked',
      what: `The signing key ${jwk.kid} is in a place that this version does not know.`,
      fix: 'Start the version that made it.',
    });
  }

  /**
   * Makes sure that the KMS key that is to sign does, whether it signs for the server already or not.
   *
   * @throws Problem `kms-refused`, `kms-unreachable` or `unavailable`
   */
  async check(): Promise<void> {
    if (this.arn === undefined) return;
    const { jwk, source } = await readKmsKey(this.#kms, this.arn);
    await checkSigns(await this.open(jwk, source));
  }

  close(): void {
    this.#kms.close();
  }
}
