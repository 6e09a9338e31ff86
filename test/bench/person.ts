import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { Browser } from '../server/browser.ts';
import { CliClient } from '../server/cli-client.ts';
import { SoftKey } from '../server/soft-key.ts';

/**
 * A person with a security key in software, who needs no real browser. A sign-in takes milliseconds, and hardly disturbs what is
 * measured meanwhile.
 */
export class Person {
  readonly email: string;
  readonly #issuer: string;
  readonly #key: SoftKey;

  private constructor(issuer: string, email: string) {
    this.email = email;
    this.#issuer = issuer;
    this.#key = new SoftKey(issuer);
  }

  /** Invites a person as the sandbox's administrator would, and enrols their key. */
  static async enrol({ issuer, succeed }: Sandbox, email: string): Promise<Person> {
    const { stdout } = await succeed('vouch-server', ['invite', email, '--json']);
    const { code: invitation } = JSON.parse(stdout) as { code: string };
    const person = new Person(issuer, email);
    const browser = new Browser(issuer);
    const { ticket, page = '' } = await json(browser.post('/enroll/start', { invitation, page: true }));
    const post = (step: string, body?: unknown) =>
      json(browser.post(`/enroll/${ticket}/${step}`, body, { 'vouch-page': page }));
    const options = (await post('options')) as unknown as PublicKeyCredentialCreationOptionsJSON;
    await post('verify', person.#key.create(options));
    return person;
  }

  /**
   * Opens a sign-in page and touches the key.
   *
   * @param page its address
   * @returns the address that the browser is then sent to: the listener of the program that began the sign-in
   */
  async touch(page: string): Promise<string> {
    const browser = new Browser(this.#issuer);
    const login = location(await browser.get(page));
    const post = (step: string, body?: unknown) => json(browser.post(`${login}/${step}`, body));
    const options = (await post('options')) as unknown as PublicKeyCredentialRequestOptionsJSON;
    const { redirectTo = '' } = await post('verify', this.#key.get(options));
    return redirectTo;
  }

  /** Signs in without `vouch`. */
  async signIn(): Promise<{ client: CliClient; accessToken: string }> {
    const client = await CliClient.create(this.#issuer);
    const listener = new URL(await this.touch(await client.authorizationPath()));
    const tokens = await json(client.redeem(listener.searchParams.get('code') ?? ''));
    return { client, accessToken: tokens.access_token ?? '' };
  }
}

async function json(answer: Promise<Response>): Promise<Record<string, string>> {
  const response = await answer;
  if (!response.ok)
    throw new Error(`${response.url} answered with status ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, string>;
}

function location(response: Response): string {
  const place = response.headers.get('location');
  if (place === null) throw new Error(`${response.url} leads nowhere: status ${response.status}`);
  return place;
}
