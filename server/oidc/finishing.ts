import type { IncomingMessage } from 'node:http';
import Provider, { type AdapterPayload } from 'oidc-provider';
import { randomSecret } from '../secrets.ts';
import type { StoreTransaction } from '../store/store.ts';

type Change = (transaction: StoreTransaction) => Promise<void>;

/** Sign-ins by the requests within which oidc-provider finishes them. Nobody outside can make such a request. */
const finishing = new WeakMap<IncomingMessage, Finishing>();

/**
 * A sign-in that oidc-provider finishes within one request of ours. What the library stores step by step on its way to the code is kept
 * here, so that one transaction stores all of it together with the session, or nothing.
 */
export class Finishing {
  /** The interaction gets a new, secret name: knowing the page's URL is not enough to replace its result. */
  readonly uid = randomSecret();
  readonly interaction: AdapterPayload;
  /** The grant that the library has made, which the session will belong to. */
  grantId: string | undefined;
  readonly #changes: Change[] = [];

  /** @param interaction one that was found, as oidc-provider has it, and the result that it ends with */
  constructor(interaction: object, result: Record<string, unknown>) {
    this.interaction = { ...interaction, jti: this.uid, result };
  }

  /** The one that oidc-provider is finishing now, if the call comes from there. */
  static now(): Finishing | undefined {
    const request = Provider.ctx?.req;
    return request && finishing.get(request);
  }

  /** The one that this request of the library's finishes. */
  static of(request: IncomingMessage): Finishing | undefined {
    return finishing.get(request);
  }

  /** Lets the library finish it within this request. */
  within(request: IncomingMessage): void {
    finishing.set(request, this);
  }

  /** Remembers a change, which must check by itself that it may still be made. */
  later(change: Change): void {
    this.#changes.push(change);
  }

  /** Makes the changes, in their order. @throws what the library would have got for one that may not be made any more */
  async store(transaction: StoreTransaction): Promise<void> {
    for (const change of this.#changes) await change(transaction);
  }
}
