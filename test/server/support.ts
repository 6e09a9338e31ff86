import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { expect, onTestFinished } from 'vitest';
import { readConfig } from '../../server/config/config.ts';
import type { Context } from '../../server/context.ts';
import { invite } from '../../server/invitations/invite.ts';
import { serve } from '../../server/serve.ts';
import { freePort } from '../support/free-port.ts';
import { Browser } from './browser.ts';
import { CliClient } from './cli-client.ts';
import { type EngineKind, makeDatabase } from './engines.ts';
import { type Ceremony, SoftKey } from './soft-key.ts';

/** A server to test against. */
export interface TestServer {
  origin: string;
  /** The server's database and clock. A test may replace `context.now`. */
  context: Context;
  /** The database, its file (SQLite's), and the master key; empty if the test named a database. */
  databaseUrl: string;
  databaseFile: string;
  masterKey: Buffer;
  /** Does what the server does each minute. */
  everyMinute: () => Promise<void>;
  /** Looks for a new TLS certificate. */
  reload: () => void;
  close: () => Promise<void>;
}

/** How a test's server runs. */
interface ServerOptions {
  /** The value of VOUCH_TRUST_PROXY. By default it is this machine, so that each `Browser` can have its own address. */
  trustProxy?: string | undefined;
  /** By default the one under test. */
  engine?: EngineKind;
  /** A monotonic clock, if not the real one. */
  elapsed?: () => number;
}

/** Starts the server in this process, on its own database. */
export async function startServer(
  settings: Record<string, string> = {},
  options: ServerOptions = {},
): Promise<TestServer> {
  const origin = settings.VOUCH_ISSUER ?? `http://localhost:${await freePort()}`;
  const { trustProxy } = { trustProxy: '127.0.0.1,::1', ...options };
  // A test that names a database keeps it, and its master key too.
  const database = settings.VOUCH_DATABASE_URL === undefined ? await makeDatabase(options.engine) : undefined;
  const running = await serve(
    readConfig({
      VOUCH_ISSUER: origin,
      ...database?.settings,
      VOUCH_LOG_LEVEL: 'silent',
      ...(trustProxy === undefined ? {} : { VOUCH_TRUST_PROXY: trustProxy }),
      ...settings,
    }),
    options.elapsed,
  );
  return {
    origin,
    context: running.context,
    databaseUrl: database?.settings.VOUCH_DATABASE_URL ?? '',
    masterKey: Buffer.from(database?.settings.VOUCH_MASTER_KEY ?? '', 'base64'),
    databaseFile: database?.file ?? '',
    everyMinute: running.everyMinute,
    reload: running.reload,
    close: async () => {
      await running.close();
      await database?.drop();
    },
  };
}

/** Moves the server's clock for the rest of this test. */
export function moveClock(server: TestServer, milliseconds: number): void {
  server.context.now = () => Date.now() + milliseconds;
  onTestFinished(() => {
    server.context.now = Date.now;
  });
}

/** Expects a problem (RFC 9457) of this type. @param members those of its own, if they matter */
export async function expectProblem(
  response: Response,
  status: number,
  name: string,
  members?: Record<string, string>,
): Promise<void> {
  const body = await response.text();
  expect({ status: response.status, type: response.headers.get('content-type'), body }).toMatchObject({
    status,
    type: expect.stringMatching(/^application\/problem\+json/),
  });
  const { type, status: said, title, detail, instance, ...own } = JSON.parse(body);
  expect({ type, status: said, title, detail, instance }).toEqual({
    type: `urn:vouch:problem:${name}`,
    status,
    title: expect.any(String),
    detail: expect.any(String),
    instance: `urn:uuid:${response.headers.get('x-request-id')}`,
  });
  if (members !== undefined) expect(own).toEqual(members);
}

/** Expects an OAuth error (RFC 6749, section 5.2). */
export async function expectOAuthError(response: Response, status: number, error: string): Promise<void> {
  const body = (await response.json()) as { error?: string };
  expect({ status: response.status, error: body.error }).toEqual({ status, error });
}

export async function jsonOf<Body = Record<string, unknown>>(response: Response): Promise<Body> {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as Body;
}

let count = 0;

/** An e-mail address that is new to every server. */
export function newEmail(): string {
  count += 1;
  return `person${count}@example.com`;
}

export async function inviteCode(server: TestServer, email: string): Promise<string> {
  const { code } = await invite(server.context.store, server.context.now(), { email }, { actor: 'cli:root' });
  return code;
}

/** The names of the keys of the person with this address. */
export async function keyNamesOf(server: TestServer, email: string): Promise<string[]> {
  const rows = await server.context.store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .select('keys.name')
    .execute();
  return rows.map((row) => row.name);
}

/** How many people have this address. */
export async function countPeople(server: TestServer, email: string): Promise<number> {
  return (await server.context.store.selectFrom('people').where('email', '=', email).select('id').execute()).length;
}

/** An enrolment under way: its terminal, and the page that has opened it. */
export class Enrolment {
  readonly browser: Browser;
  readonly ticket: string;
  readonly poll: string;
  /** The latest secret that the server gave the page. */
  page: string | undefined;

  private constructor(browser: Browser, ticket: string, poll: string) {
    this.browser = browser;
    this.ticket = ticket;
    this.poll = poll;
  }

  static async start(origin: string, invitation: string): Promise<Enrolment> {
    const browser = new Browser(origin);
    const started = await browser.post('/enroll/start', { invitation, machine: 'alices-laptop' });
    const { ticket, poll } = await jsonOf<{ ticket: string; poll: string }>(started);
    return new Enrolment(browser, ticket, poll);
  }

  /** Starts an enrolment, opens its page, and approves the page at the terminal. */
  static async open(origin: string, invitation: string): Promise<Enrolment> {
    const enrolment = await Enrolment.start(origin, invitation);
    const { words } = await jsonOf<{ words: string }>(await enrolment.post('open'));
    expect((await enrolment.answer('approve', words)).status).toBe(204);
    return enrolment;
  }

  /** Sends a request as the page does. */
  async post(step: string, body: unknown = {}): Promise<Response> {
    const headers: Record<string, string> = this.page === undefined ? {} : { 'vouch-page': this.page };
    const response = await this.browser.post(`/enroll/${this.ticket}/${step}`, body, headers);
    const { page } = Object(
      await response
        .clone()
        .json()
        .catch(() => ({})),
    ) as { page?: string };
    if (page !== undefined) this.page = page;
    return response;
  }

  /** Sends the terminal's answer about the page. */
  answer(answer: 'approve' | 'deny', words?: string): Promise<Response> {
    return this.browser.post(`/enroll/${answer}`, { poll: this.poll, words });
  }

  status(): Promise<Response> {
    return this.browser.post('/enroll/status', { poll: this.poll });
  }

  async options(): Promise<PublicKeyCredentialCreationOptionsJSON> {
    return jsonOf<PublicKeyCredentialCreationOptionsJSON>(await this.post('options'));
  }

  async register(key: SoftKey, how: Ceremony = {}): Promise<Response> {
    return this.post('verify', key.create(await this.options(), how));
  }

  async confirm(key: SoftKey, how: Ceremony = {}): Promise<Response> {
    const options = await jsonOf<PublicKeyCredentialRequestOptionsJSON>(await this.post('confirm/options'));
    return this.post('confirm/verify', key.get(options, how));
  }
}

/** Enrols a new person with a new key. */
export async function enrolPerson(
  server: TestServer,
  options: { counts?: boolean } = {},
): Promise<{ email: string; key: SoftKey }> {
  const email = newEmail();
  const key = new SoftKey(server.origin, options);
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
  await jsonOf(await enrolment.register(key));
  return { email, key };
}

/** Where the server sends the page after a touch or a cancel. */
export async function callbackOf(response: Response): Promise<URL> {
  return new URL((await jsonOf<{ redirectTo: string }>(response)).redirectTo);
}

/** A sign-in page that has been opened. */
export class SignIn {
  readonly browser: Browser;
  readonly client: CliClient;
  readonly uid: string;

  private constructor(browser: Browser, client: CliClient, uid: string) {
    this.browser = browser;
    this.client = client;
    this.uid = uid;
  }

  /** Pushes a request and opens it. */
  static async open(origin: string, browser = new Browser(origin)): Promise<SignIn> {
    const client = await CliClient.create(origin);
    return SignIn.openPath(browser, client, await client.shortPath());
  }

  static async openPath(browser: Browser, client: CliClient, path: string): Promise<SignIn> {
    const response = await browser.get(path);
    const uid = /\/login\/([\w-]+)$/.exec(response.headers.get('location') ?? '')?.[1];
    if (uid === undefined) throw new Error(`no sign-in page: ${response.status} ${response.headers.get('location')}`);
    return new SignIn(browser, client, uid);
  }

  post(step: string, body: unknown = {}): Promise<Response> {
    return this.browser.post(`/login/${this.uid}/${step}`, body);
  }

  async options(): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return jsonOf<PublicKeyCredentialRequestOptionsJSON>(await this.post('options'));
  }

  async touch(key: SoftKey, how: Ceremony = {}): Promise<Response> {
    return this.post('verify', key.get(await this.options(), how));
  }

  /** Touches the key. @returns the URL of the loopback listener, where the page goes next */
  async callback(key: SoftKey): Promise<URL> {
    return callbackOf(await this.touch(key));
  }

  async code(key: SoftKey): Promise<string> {
    const url = await this.callback(key);
    const code = url.searchParams.get('code');
    if (code === null) throw new Error(`no code: ${url}`);
    return code;
  }
}

export interface Tokens {
  access_token: string;
  id_token: string;
  token_type: string;
  expires_in: number;
}

/** Signs in, from the first request to the tokens. */
export async function signIn(origin: string, key: SoftKey): Promise<{ client: CliClient; code: string } & Tokens> {
  const page = await SignIn.open(origin);
  const code = await page.code(key);
  const tokens = await jsonOf<Tokens>(await page.client.redeem(code));
  return { client: page.client, code, ...tokens };
}
