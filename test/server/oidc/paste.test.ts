import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { calculateJwkThumbprint, decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { AccountPage } from '../account/account-page.ts';
import { Browser } from '../browser.ts';
import { CliClient, newKeyPair } from '../cli-client.ts';
import type { SoftKey } from '../soft-key.ts';
import {
  enrolPerson,
  expectOAuthError,
  expectProblem,
  jsonOf,
  moveClock,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

let server: TestServer;
let email: string;
let key: SoftKey;
beforeAll(async () => {
  server = await startServer({ VOUCH_ALLOW_PASTE: 'true' });
  ({ email, key } = await enrolPerson(server));
});
afterAll(() => server.close());

const pasteUri = () => `${server.origin}/paste`;

/** Opens the page of a sign-in by paste. */
async function open(changes: Record<string, string> = {}, own?: CliClient): Promise<SignIn & { words: string }> {
  const client = own ?? (await CliClient.create(server.origin));
  const pushed = (await (await client.push({ redirect_uri: pasteUri(), ...changes })).json()) as {
    address: string;
    words: string;
  };
  const page = await SignIn.openPath(new Browser(server.origin), client, new URL(pushed.address).pathname);
  return Object.assign(page, { words: pushed.words });
}

interface Shown {
  paste: string;
  pasteSeconds: number;
}

/** Touches the key. @returns the code in what the page shows */
async function touch(page: SignIn & { words: string }): Promise<string> {
  const { paste } = await jsonOf<Shown>(await page.touch(key));
  return paste.slice(page.words.length + 1);
}

const redeem = (client: CliClient, code: string, changes: Record<string, string> = {}) =>
  client.redeem(code, { redirect_uri: pasteUri(), ...changes });

describe('a server that does not allow it', () => {
  test('says so in its discovery document, with whom to ask, and refuses the request', async () => {
    const strict = await startServer({ VOUCH_CONTACT: 'it-help@example.com' });
    try {
      const discovery = await fetch(`${strict.origin}/.well-known/openid-configuration`);
      expect((await jsonOf(discovery)).vouch_paste).toEqual({ allowed: false, contact: 'it-help@example.com' });
      const client = await CliClient.create(strict.origin);
      await expectOAuthError(await client.push({ redirect_uri: `${strict.origin}/paste` }), 400, 'invalid_request');
      expect(strict.context.config.allowPaste).toBe(false);
    } finally {
      await strict.close();
    }
  });
});

describe('a sign-in by paste', () => {
  test('is announced, and its page knows it; another sign-in at the same server stays as it was', async () => {
    const discovery = await fetch(`${server.origin}/.well-known/openid-configuration`);
    expect((await jsonOf(discovery)).vouch_paste).toEqual({ allowed: true });
    const page = await open();
    expect(await jsonOf(await page.browser.get(`/login/${page.uid}/details`))).toMatchObject({
      paste: true,
      words: page.words,
    });
    const other = await SignIn.open(server.origin);
    expect(await jsonOf(await other.browser.get(`/login/${other.uid}/details`))).toMatchObject({ paste: false });
    const answer = await jsonOf(await other.touch(key));
    expect(Object.keys(answer).sort()).toEqual(['redirectTo', 'session', 'suggestSpare']);
  });

  test('shows the code with the words, in no address, and the code gives a session to its own terminal', async () => {
    const page = await open();
    const answer = await page.touch(key);
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { paste, pasteSeconds, ...rest } = await jsonOf<Shown>(answer);
    expect(Object.keys(rest).sort()).toEqual(['session', 'suggestSpare']);
    expect(paste).toMatch(new RegExp(`^${page.words.replaceAll(' ', '-')}-[\\w-]{43}$`));
    // A duration, because the browser's clock may be minutes ahead.
    expect(pasteSeconds).toBe(180);
    const tokens = await jsonOf<Record<string, string>>(await redeem(page.client, paste.slice(page.words.length + 1)));
    expect(decodeJwt(tokens.id_token ?? '').sub).toBe(email);
    await jsonOf(await page.client.api('GET', '/api/session', tokens.access_token ?? ''));
  });

  test('is told apart in the audit trail and in one’s own history', async () => {
    const person = await enrolPerson(server);
    const page = await open();
    await jsonOf(await page.touch(person.key));
    await signIn(server.origin, person.key);
    const rows = await server.context.store
      .selectFrom('audit')
      .where('event', '=', 'signed-in')
      .where('subject', '=', person.email)
      .orderBy('id')
      .select('detail')
      .execute();
    expect(rows.map(({ detail }) => JSON.parse(detail))).toEqual([{ paste: true }, {}]);
    const account = await AccountPage.signIn(server.origin, person.key);
    const { events } = await jsonOf<{ events: { event: string; byPaste: boolean }[] }>(await account.get('history'));
    expect(events.filter(({ event }) => event === 'signed-in').map(({ byPaste }) => byPaste)).toEqual([false, true]);
  });

  test('is cancelled on its page, which goes nowhere', async () => {
    const page = await open();
    expect(await jsonOf(await page.post('cancel'))).toEqual({ redirectTo: null });
    await expectProblem(await page.post('options'), 410, 'interaction-over');
  });

  test.each(['http://localhost:49152/paste', 'http://localhost/paste', 'http://127.0.0.1:49152/paste'])(
    'has one redirect URI, and none at another port: %s',
    async (redirect_uri) => {
      const client = await CliClient.create(server.origin);
      await expectOAuthError(await client.push({ redirect_uri }), 400, 'invalid_request');
    },
  );

  test('has nothing at its redirect URI', async () => {
    const answer = await new Browser(server.origin).get('/paste?code=x&state=y');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('location')).toBeNull();
  });
});

describe('its code', () => {
  test('is good for three minutes, and the code of another sign-in still for one', async () => {
    const [soon, late, other] = [await open(), await open(), await SignIn.open(server.origin)];
    const codes = [await touch(soon), await touch(late)] as const;
    const otherCode = await other.code(key);
    moveClock(server, 170_000);
    await jsonOf(await redeem(soon.client, codes[0]));
    await expectOAuthError(await other.client.redeem(otherCode), 400, 'invalid_grant');
    moveClock(server, 181_000);
    await expectOAuthError(await redeem(late.client, codes[1]), 400, 'invalid_grant');
  });

  test('works once: a second use with the verifier ends the session', async () => {
    const page = await open();
    const code = await touch(page);
    const { access_token } = await jsonOf<{ access_token: string }>(await redeem(page.client, code));
    await expectOAuthError(await redeem(page.client, code), 400, 'invalid_grant');
    await expectProblem(await page.client.api('GET', '/api/session', access_token), 401, 'session-over');
  });

  test('is of no use without the verifier, and stays good for its own terminal', async () => {
    const page = await open();
    const code = await touch(page);
    const thief = await CliClient.create(server.origin);
    await expectOAuthError(await redeem(thief, code), 400, 'invalid_grant');
    // Nor as the code of a sign-in that came back to a listener.
    await expectOAuthError(
      await redeem(page.client, code, { redirect_uri: 'http://127.0.0.1:49152/callback' }),
      400,
      'invalid_grant',
    );
    await jsonOf(await redeem(page.client, code));
  });

  test('is bound to the DPoP key that the request named: not even the verifier is enough without it', async () => {
    const client = await CliClient.create(server.origin);
    const dpop_jkt = await calculateJwkThumbprint(client.key.publicJwk);
    for (const [key_, status] of [
      [await newKeyPair(), 400],
      [client.key, 200],
    ] as const) {
      const page = await open({ dpop_jkt }, client);
      const proof = await client.proof('POST', '/token', { key: key_ });
      expect((await client.redeem(await touch(page), { redirect_uri: pasteUri() }, proof)).status).toBe(status);
    }
  });

  test('of somebody else is not taken for one’s own', async () => {
    const [mine, his] = [await open(), await open()];
    const person = await enrolPerson(server);
    const { paste } = await jsonOf<Shown>(await his.touch(person.key));
    await expectOAuthError(await redeem(mine.client, paste.slice(his.words.length + 1)), 400, 'invalid_grant');
    await jsonOf(await redeem(mine.client, await touch(mine)));
  });

  test('is in the database as a hash alone', async () => {
    const page = await open();
    const code = await touch(page);
    const stored = JSON.stringify(await server.context.store.selectFrom('oidc_payloads').selectAll().execute());
    expect(stored).not.toContain(code);
  });
});

describe('a server that forbids it from now on', () => {
  /** Sends a request to an instance that was restarted with another setting. @returns status and body */
  async function askStrict(path: string, headers: Record<string, string>, body: string): Promise<[number, string]> {
    const port = await freePort();
    const strict = await startServer({
      VOUCH_ISSUER: server.origin,
      VOUCH_LISTEN: `127.0.0.1:${port}`,
      VOUCH_DATABASE_URL: server.databaseUrl,
      VOUCH_MASTER_KEY: server.masterKey.toString('base64'),
    });
    try {
      const { host } = new URL(server.origin);
      const length = String(Buffer.byteLength(body));
      const all = { host, 'content-length': length, ...headers };
      const sent = request({ host: '127.0.0.1', port, method: 'POST', path, headers: all });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return [response.statusCode ?? 0, await text(response)];
    } finally {
      await strict.close();
    }
  }

  test('ends a sign-in that was begun before without a code', async () => {
    const page = await open();
    const answer = key.get(await page.options());
    const headers = { 'content-type': 'application/json' };
    const [status] = await askStrict(`/login/${page.uid}/verify`, headers, JSON.stringify(answer));
    expect(status).toBe(410);
  });

  test('takes no code that was shown before', async () => {
    const page = await open();
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'vouch-cli',
      code: await touch(page),
      redirect_uri: pasteUri(),
      code_verifier: page.client.verifier,
    });
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      dpop: await page.client.proof('POST', '/token'),
    };
    const [status, body] = await askStrict('/token', headers, form.toString());
    expect([status, JSON.parse(body).error]).toEqual([400, 'invalid_grant']);
  });
});
