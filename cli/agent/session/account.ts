import { Outage } from '../../network/outage.ts';
import { Problem } from '../../problem/problem.ts';
import { oldServer, serverUnreachable } from '../../server-api/problems.ts';
import type { KeyName } from '../../text/key-label.ts';
import type { Log } from '../log.ts';
import type { AccountKeys, AccountSessions, Ending, KeyRemoval } from '../protocol/account.ts';
import type { Access } from './access-token.ts';
import { readEnding, readKeys, readRemoval, readSessions, UnfitAccount } from './read-account.ts';
import { Secret } from './secret.ts';
import { askAsPerson, type PersonRequest } from './server-requests.ts';
import type { Timeouts } from './timeouts.ts';

export interface AccountOptions {
  access: Access;
  timeouts: Timeouts;
  log: Log;
  /** Called with the present name of the key that the session began with, when the server has told it. */
  onOwnKey: (key: KeyName) => void;
}

/**
 * What a person has at the server, asked for with their session: keys and sessions (docs/http-api.md, "For the command line").
 *
 * Each request is sent once, and throws a Problem as requestAwsToken, or with the server's own words and kind: `touch-needed`,
 * `last-key`, `name-taken`, `not-found`. A server that is too old to know it is an `old-server`.
 */
export class Account {
  readonly #access: Access;
  readonly #timeouts: Timeouts;
  readonly #log: Log;
  readonly #onOwnKey: AccountOptions['onOwnKey'];

  constructor({ access, timeouts, log, onOwnKey }: AccountOptions) {
    this.#access = access;
    this.#timeouts = timeouts;
    this.#log = log;
    this.#onOwnKey = onOwnKey;
  }

  async keys(): Promise<AccountKeys> {
    const answer = await this.#askKnown({ method: 'GET', path: '/api/keys' }, readKeys);
    const own = answer.keys.find(({ current }) => current);
    if (own) this.#onOwnKey({ name: own.name, model: own.model });
    return answer;
  }

  /** @param id the credential's ID */
  async renameKey(id: string, name: string): Promise<void> {
    const body = JSON.stringify({ name });
    await this.#ask({ method: 'PATCH', path: `/api/keys/${encodeURIComponent(id)}`, body }, () => {});
    this.#log.add('account', `the key ${short(id)} is called "${name}" now`);
  }

  /** @param id the credential's ID */
  async removeKey(id: string): Promise<KeyRemoval> {
    const removal = await this.#ask({ method: 'DELETE', path: `/api/keys/${encodeURIComponent(id)}` }, readRemoval);
    this.#log.add('account', `the key ${short(id)} was removed`);
    return removal;
  }

  sessions(): Promise<AccountSessions> {
    return this.#askKnown({ method: 'GET', path: '/api/sessions' }, readSessions);
  }

  /** @param id a session's, of an agent or of a browser */
  async endSession(id: string): Promise<Ending> {
    const ending = await this.#ask({ method: 'DELETE', path: `/api/sessions/${encodeURIComponent(id)}` }, readEnding);
    this.#log.add('account', `the session ${short(id)} was ended`);
    return ending;
  }

  async endOtherSessions(): Promise<Ending> {
    const ending = await this.#askKnown({ method: 'DELETE', path: '/api/sessions' }, readEnding);
    this.#log.add('account', 'all other sessions were ended');
    return ending;
  }

  async reportNotMe(): Promise<Ending> {
    const ending = await this.#askKnown({ method: 'POST', path: '/api/not-me' }, readEnding);
    this.#log.add('account', '"this was not me" was reported');
    return ending;
  }

  /** For addresses that name no key and no session: only a server that does not know them answers that there is nothing. */
  async #askKnown<Answer>(request: PersonRequest, read: (said: Record<string, unknown>) => Answer): Promise<Answer> {
    try {
      return await this.#ask(request, read);
    } catch (error) {
      if (error instanceof Problem && error.kind === 'not-found') throw oldServer(this.#access.issuer);
      throw error;
    }
  }

  /**
   * Some requests end the session that they are sent with, and the server may tell of the end (session-events.ts) before it answers.
   * So a request outlives its session: it has the token for itself.
   */
  async #ask<Answer>(request: PersonRequest, read: (said: Record<string, unknown>) => Answer): Promise<Answer> {
    const accessToken = new Secret(this.#access.accessToken.reveal());
    try {
      const signal = AbortSignal.timeout(this.#timeouts.call);
      return read(await askAsPerson({ ...this.#access, accessToken }, request, signal));
    } catch (error) {
      if (!(error instanceof UnfitAccount)) throw error;
      throw new Outage(
        serverUnreachable(this.#access.issuer, 'It answered with something else than what was asked for.'),
      );
    } finally {
      accessToken.wipe();
    }
  }
}

/** The beginning of an ID, which is enough to know it by. */
function short(id: string): string {
  return id.slice(0, 8);
}
