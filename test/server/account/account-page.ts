import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { Browser } from '../browser.ts';
import type { Ceremony, SoftKey } from '../soft-key.ts';
import { jsonOf } from '../support.ts';

/** The cookie of a web session. */
export const COOKIE = '__Host-vouch-account';

/** The page "My account" in a browser, as the server sees it. */
export class AccountPage {
  readonly browser: Browser;
  /** The page's half of the web session. */
  page: string | undefined;

  constructor(origin: string, browser = new Browser(origin)) {
    this.browser = browser;
  }

  /** Opens the page and signs in with a touch. */
  static async signIn(origin: string, key: SoftKey, browser?: Browser): Promise<AccountPage> {
    const account = new AccountPage(origin, browser);
    await jsonOf(await account.touchToSignIn(key));
    return account;
  }

  async touchToSignIn(key: SoftKey, how: Ceremony = {}): Promise<Response> {
    const options = await this.browser.post('/account/sign-in/options');
    const answer = key.get(await jsonOf<PublicKeyCredentialRequestOptionsJSON>(options), how);
    return this.#keep(await this.browser.post('/account/sign-in/verify', answer));
  }

  /** Another touch on the same page. */
  async touch(key: SoftKey, how: Ceremony = {}): Promise<Response> {
    const options = await jsonOf<PublicKeyCredentialRequestOptionsJSON>(await this.send('POST', 'touch/options'));
    return this.#keep(await this.send('POST', 'touch/verify', key.get(options, how)));
  }

  async addKey(key: SoftKey, name?: string, how: Ceremony = {}): Promise<Response> {
    const options = await this.send('POST', 'keys/options');
    if (!options.ok) return options;
    const answer = key.create(await jsonOf<PublicKeyCredentialCreationOptionsJSON>(options), how);
    return this.send('POST', 'keys/verify', { ...answer, ...(name === undefined ? {} : { name }) });
  }

  get(path: string): Promise<Response> {
    return this.browser.get(`/account/${path}`, this.#headers());
  }

  send(method: string, path: string, body: unknown = {}): Promise<Response> {
    return this.browser.send(method, `/account/${path}`, body, this.#headers());
  }

  async keys(): Promise<{ id: string; name: string; current: boolean }[]> {
    const { keys } = await jsonOf<{ keys: { id: string; name: string; current: boolean }[] }>(await this.get('keys'));
    return keys;
  }

  async sessions() {
    return jsonOf<{
      sessions: { id: string; machine: string | null; current: boolean; lastRole: { arn: string } | null }[];
      browsers: { id: string; browser: string | null; current: boolean }[];
    }>(await this.get('sessions'));
  }

  #headers(): Record<string, string> {
    return this.page === undefined ? {} : { 'vouch-page': this.page };
  }

  async #keep(response: Response): Promise<Response> {
    const { page } = Object(await response.clone().json()) as { page?: string };
    if (page !== undefined) this.page = page;
    return response;
  }
}
