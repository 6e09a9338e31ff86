/**
 * The load generator, in a process of its own: `node load.ts`, with an IPC channel. It first says who may sign in, and with which keys;
 * then it does one job for each message, and answers with its LoadResult.
 */
import { randomUUID } from 'node:crypto';
import { SoftKey } from '../../server/soft-key.ts';
import { awsToken, bareLogin, type LoggedIn, push, type Step, type Steps, toTheEnd, vouchLogin } from './flows.ts';
import { HttpClient } from './http-client.ts';

/** What the load generator is to do. */
export interface Job {
  kind: 'login' | 'bare-login' | 'token' | 'push' | 'step' | 'bare-step';
  /** The servers, in turns. All but a bare one share a database. */
  origins: readonly string[];
  count: number;
  /** How many are under way at once. */
  clients: number;
  /** The origin that the keys are enrolled for, and that the clients name. */
  issuer: string;
}

export interface LoadResult {
  /** How long each one took, in milliseconds. */
  waits: number[];
  /** How long all took together. */
  seconds: number;
  /** Which request it was, if the job was one request of each of the logins. */
  step?: Step;
  /** Of this process: what the machine's cores did besides the server's work. */
  cpuSeconds: number;
}

/** Somebody who signs in. */
export interface ActivePerson {
  keyId: string;
  userHandle: string;
  publicKey: string;
}

/** How many different people sign in. */
const ACTIVE = 100;

/** Tokens that a session may ask for are limited, so many sessions take turns. */
const MOST_SESSIONS = 1_000;

const people = Array.from({ length: ACTIVE }, () => {
  const key = new SoftKey('');
  key.userHandle = randomUUID();
  return { key, busy: Promise.resolve() as Promise<unknown> };
});
const sessions = new Map<string, LoggedIn[]>();
const clients = new Map<string, HttpClient>();
let turn = 0;

process.on('message', async (job: Job) => {
  try {
    process.send?.(await run(job));
  } catch (error) {
    process.send?.({ error: (error as Error).message });
  }
});
process.on('disconnect', () => process.exit());
process.send?.(
  people.map(
    ({ key }): ActivePerson => ({ keyId: key.id, userHandle: key.userHandle ?? '', publicKey: key.publicKey }),
  ),
);

async function run(job: Job): Promise<LoadResult> {
  if (job.kind === 'step' || job.kind === 'bare-step') return stepAll(job);
  const waits: number[] = [];
  let left = job.count;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const client = async () => {
    while (left > 0) {
      left -= 1;
      const begin = performance.now();
      await once(job);
      waits.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: job.clients }, client));
  const { user, system } = process.cpuUsage(cpu);
  return { waits, seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

async function once({ kind, origins, issuer }: Job): Promise<void> {
  turn += 1;
  const http = httpOf(origins[turn % origins.length] ?? '', issuer);
  if (kind === 'push') await push(http, issuer);
  else if (kind === 'bare-login') await toTheEnd(bareLogin(http, issuer));
  else if (kind === 'token') await awsToken(http, issuer, sessionOf(issuer));
  else await login(http, issuer);
}

/** A key touches once at a time, so that its counter arrives in order. */
async function login(http: HttpClient, issuer: string): Promise<void> {
  const person = people[turn % people.length];
  if (person === undefined) return;
  const loggedIn = person.busy.then(() =>
    toTheEnd(vouchLogin(http, issuer, (options) => person.key.get(options, { origin: issuer }))),
  );
  person.busy = loggedIn.catch(() => {});
  const session = await loggedIn;
  // Read now: others have signed in meanwhile.
  sessions.set(issuer, [session, ...(sessions.get(issuer) ?? [])].slice(0, MOST_SESSIONS));
}

/** Logins that go on together, request by request. */
let underWay: Steps[] = [];

/** Does the next request of each of the logins that are under way, or begins some: of different people, one for each. */
async function stepAll({ kind, origins, issuer, count, clients: most }: Job): Promise<LoadResult> {
  const http = httpOf(origins[0] ?? '', issuer);
  if (underWay.length === 0) {
    underWay = people
      .slice(0, count)
      .map(({ key }) =>
        kind === 'bare-step'
          ? bareLogin(http, issuer)
          : vouchLogin(http, issuer, (options) => key.get(options, { origin: issuer })),
      );
  }
  let step: Step = 'token';
  const left = [...underWay];
  const client = async () => {
    for (let login = left.pop(); login !== undefined; login = left.pop()) {
      const { done, value } = await login.next();
      if (!done) step = value;
    }
  };
  await Promise.all(Array.from({ length: most }, client));
  if (step === 'token') underWay = [];
  return { waits: [], seconds: 0, cpuSeconds: 0, step };
}

function sessionOf(issuer: string): LoggedIn {
  const mine = sessions.get(issuer) ?? [];
  const session = mine[turn % mine.length];
  if (session === undefined) throw new Error('nobody has signed in');
  return session;
}

function httpOf(origin: string, issuer: string): HttpClient {
  const client = clients.get(origin) ?? new HttpClient(origin, issuer);
  clients.set(origin, client);
  return client;
}
