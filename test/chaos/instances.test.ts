import { setTimeout as wait } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { verifyTrail } from '../../server/audit/verify.ts';
import { inviteAll } from '../../server/invitations/invite.ts';
import { chooseEngine } from '../../server/store/choose-engine.ts';
import { readSnapshot } from '../../server/store/snapshot.ts';
import type { Store } from '../../server/store/store.ts';
import { Browser } from '../server/browser.ts';
import { CliClient } from '../server/cli-client.ts';
import { makeDatabase } from '../server/engines.ts';
import { ServerProcess } from '../server/program.ts';
import { SoftKey } from '../server/soft-key.ts';
import { newEmail } from '../server/support.ts';
import { AlternatingProxy } from '../support/alternating-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { Random } from '../support/random.ts';

/** How long it lasts, in seconds. `VOUCH_CHAOS_SECONDS=60` for a thorough run. */
const seconds = Number(process.env.VOUCH_CHAOS_SECONDS ?? 15);

/** How often one of the two instances dies, in milliseconds. */
const DEATH_EVERY_MS = 2_000;

/** How many people begin a login in a second. */
const LOGINS_PER_SECOND = 20;

/** Each tenth of them is new, and enrols a key first. */
const PEOPLE = 20;

/** The most logins that are under way: on a slow machine they come more slowly. */
const TOGETHER = 40;

/** An answer that did not come, or that says to try again: all that a death may cause. */
class Unconfirmed extends Error {}

test(
  'of two instances that die again and again, each confirmed login, key and person is there once',
  async () => {
    const random = Random.seeded('VOUCH_CHAOS_SEED');
    const world = await openWorld(random);
    const people: Person[] = [];
    for (let index = 0; index < PEOPLE; index += 1) people.push(await world.newPerson());
    for (const person of people) await enrol(person);

    const logins = new Set<string>();
    let [tries, retried] = [0, 0];
    /** Logs in, and begins anew as often as it takes. */
    const logIn = async (number: number) => {
      const person = number % 10 === 0 ? world.invited.pop() : random.pick(people);
      if (person === undefined) return;
      for (let own = 1; ; own += 1) {
        tries += 1;
        try {
          if (!person.enrolled) await enrol(person);
          logins.add(await login(person));
          if (own > 1) retried += 1;
          if (!people.includes(person)) people.push(person);
          return;
        } catch (error) {
          if (!(error instanceof Unconfirmed)) throw error;
          await wait(50);
        }
      }
    };

    const begun = performance.now();
    const over = () => performance.now() - begun >= seconds * 1000;
    let deaths = 0;
    const killing = (async () => {
      while (!over()) {
        await world.killOne();
        deaths += 1;
        // By the clock, so that no delay adds up. The one that died is up again by now: one is always there.
        await wait(Math.max(0, deaths * DEATH_EVERY_MS - (performance.now() - begun)));
      }
    })();
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    for (let number = 0; !over() && failures.length === 0; number += 1) {
      while (running.size >= TOGETHER) await Promise.race(running);
      const one: Promise<void> = logIn(number)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(one));
      running.add(one);
      await wait(Math.max(0, (number * 1000) / LOGINS_PER_SECOND - (performance.now() - begun)));
    }
    const rate = (logins.size * 1000) / (performance.now() - begun);
    await killing;
    await Promise.all(running);
    expect(failures).toEqual([]);

    process.stdout.write(
      `${logins.size} logins were confirmed (${rate.toFixed(1)}/s), ${retried} of them after ${tries - logins.size} tries that ${deaths} deaths broke\n`,
    );
    expect(await world.flaws(logins, people)).toEqual([]);
    // They died in the middle indeed, and one was always there.
    expect(tries).toBeGreaterThan(logins.size);
    expect(logins.size).toBeGreaterThan(PEOPLE);
  },
  120_000 + seconds * 4_000,
);

interface Person {
  email: string;
  key: SoftKey;
  code: string;
  origin: string;
  enrolled: boolean;
  /** The terminal's secret of the enrolment that has begun. */
  poll?: string;
}

/** Two instances on one PostgreSQL database behind a proxy. */
async function openWorld(random: Random) {
  const database = await makeDatabase('postgres');
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const ports = [await freePort(), await freePort()];
  const start = (own: number | undefined) =>
    ServerProcess.start({
      VOUCH_ISSUER: origin,
      VOUCH_LISTEN: `127.0.0.1:${own}`,
      VOUCH_TRUST_PROXY: '127.0.0.1',
      ...database.settings,
    });
  const instances = [await start(ports[0]), await start(ports[1])];
  // Each request has an address of its own, so that no limit is in its way.
  const part = () => random.between(1, 254);
  const proxy = await AlternatingProxy.open(port, ports, () => `10.${part()}.${part()}.${part()}`);
  const store = await chooseEngine(database.settings.VOUCH_DATABASE_URL).open();
  onTestFinished(async () => {
    await proxy.close();
    for (const instance of instances) await instance.end('SIGKILL');
    await store.destroy();
    await database.drop();
  });
  const newPeople = async (count: number): Promise<Person[]> => {
    const requests = Array.from({ length: count }, () => ({ email: newEmail() }));
    const made = await inviteAll(store, Date.now(), requests, { actor: 'cli:root' });
    // One person's logins overlap, and would arrive in another order than their key has counted.
    const newKey = () => new SoftKey(origin, { counts: false });
    return made.map(({ email, code }) => ({ email, code, key: newKey(), origin, enrolled: false }));
  };
  return {
    /** Who has not enrolled yet. */
    invited: await newPeople(seconds * 2 + 10),
    newPerson: async () => (await newPeople(1))[0] as Person,
    /** Kills one, as a power cut would, and starts it again. */
    killOne: async () => {
      const which = random.between(0, 1);
      await instances[which]?.end('SIGKILL');
      instances[which] = await start(ports[which]);
    },
    flaws: (logins: ReadonlySet<string>, people: readonly Person[]) => flawsOf(store, logins, people),
  };
}

/** Sends a request that only a death may keep from being answered. */
async function send(request: () => Promise<Response>): Promise<Response> {
  const response = await request().catch((cause: unknown) => {
    throw new Unconfirmed('no answer', { cause });
  });
  if ([502, 503].includes(response.status)) throw new Unconfirmed(String(response.status));
  return response;
}

/** The body of an answer, which must be a good one. */
async function bodyOf<Body>(request: () => Promise<Response>): Promise<Body> {
  const response = await send(request);
  const text = await response.text().catch((cause: unknown) => {
    throw new Unconfirmed('half an answer', { cause });
  });
  if (!response.ok) throw new Error(`${response.url} got ${response.status}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}

/** Enrols a person's key, as `vouch enroll` does: a terminal that has lost sight of its enrolment asks how it ended. */
async function enrol(person: Person): Promise<void> {
  const browser = new Browser(person.origin);
  const { poll } = person;
  if (poll !== undefined) {
    const { state } = await bodyOf<{ state: string }>(() => browser.post('/enroll/status', { poll }));
    person.enrolled = state === 'done';
  }
  if (person.enrolled) return;
  const start = () => browser.post('/enroll/start', { invitation: person.code, machine: 'laptop' });
  const started = await bodyOf<{ ticket: string; poll: string }>(start);
  person.poll = started.poll;
  const headers: Record<string, string> = {};
  const post = <Body>(step: string, body: unknown = {}) =>
    bodyOf<Body>(() => browser.post(`/enroll/${started.ticket}/${step}`, body, headers));
  const { words, page } = await post<{ words: string; page: string }>('open');
  headers['vouch-page'] = page;
  await bodyOf(() => browser.post('/enroll/approve', { poll: started.poll, words }));
  await post('verify', person.key.create(await post('options')));
  person.enrolled = true;
}

/** Logs in, from the first request to the tokens. @returns the session's ID, from the access token */
async function login({ origin, key }: Person): Promise<string> {
  const [client, browser] = [await CliClient.create(origin), new Browser(origin)];
  const { request_uri } = await bodyOf<{ request_uri: string }>(() => client.push());
  const query = new URLSearchParams({ client_id: 'vouch-cli', request_uri });
  const opened = await send(() => browser.get(`/auth?${query}`));
  const page = new URL(opened.headers.get('location') ?? '', origin).pathname;
  const answer = key.get(await bodyOf(() => browser.post(`${page}/options`)));
  const { redirectTo } = await bodyOf<{ redirectTo: string }>(() => browser.post(`${page}/verify`, answer));
  const code = new URL(redirectTo).searchParams.get('code') ?? '';
  const { access_token } = await bodyOf<{ access_token: string }>(() => client.redeem(code));
  return String(decodeJwt(access_token).sid);
}

/** What is wrong in the database after all. */
async function flawsOf(store: Store, logins: ReadonlySet<string>, people: readonly Person[]): Promise<string[]> {
  const flaws: string[] = [];
  const count = new Map<string, number>();
  const counted = (what: string, whose: string | null) => `${what} of ${whose}`;
  const add = (what: string, whose: string | null) =>
    count.set(counted(what, whose), (count.get(counted(what, whose)) ?? 0) + 1);
  const expectOne = (what: string, whose: string) => {
    const found = count.get(counted(what, whose)) ?? 0;
    if (found !== 1) flaws.push(`${counted(what, whose)}: ${found}`);
  };
  for (const { email } of await store.selectFrom('people').select('email').execute()) add('person', email);
  for (const { id } of await store.selectFrom('keys').select('id').execute()) add('key', id);
  const sessions = await store.selectFrom('sessions').select(['id', 'grant_id']).execute();
  for (const { id, grant_id } of sessions) {
    add('session', id);
    if (logins.has(id) && grant_id === null) flaws.push(`the session ${id} has no grant`);
  }
  for (const { event, key_id, session_id } of await store
    .selectFrom('audit')
    .select(['event', 'key_id', 'session_id'])
    .execute()) {
    add(event, event === 'enrolled' ? key_id : session_id);
  }
  for (const { email, key } of people) {
    expectOne('person', email);
    expectOne('key', key.id);
    expectOne('enrolled', key.id);
  }
  // Also of those that nobody has confirmed: a session and its row are stored together.
  for (const id of new Set([...logins, ...sessions.map(({ id }) => id)])) {
    expectOne('session', id);
    expectOne('signed-in', id);
  }
  const { fault } = await readSnapshot(store, verifyTrail);
  if (fault !== undefined) flaws.push(`the chain is broken: ${JSON.stringify(fault)}`);
  return flaws;
}
