import { randomUUID } from 'node:crypto';
import { base64url } from 'jose';
import { hash } from '../../../server/secrets.ts';
import { accessToken } from '../access-token.ts';
import { CliClient } from '../cli-client.ts';
import { keyRow, personRow, sessionRow } from '../rows.ts';
import type { TestServer } from '../support.ts';

const MINUTE = 60_000;

/** Who sends a request. All but `anonymous` try to reach what belongs to Alice. */
export const ACTORS = [
  'anonymous',
  'agent of Alice',
  'agent of Alice, an old touch',
  'agent of Alice, an ended session',
  'agent of Alice, without its DPoP proof',
  'agent of another person',
  'agent of a disabled person',
  'agent of a person past the end date',
  'agent of an owner',
  'page of Alice',
  'page of Alice, an old touch',
  'page of Alice, idle for too long',
  'page of another person',
  'page of a disabled person',
  'page of an owner',
  'cookie of Alice alone',
  'page secret of Alice alone',
  'cookie of Alice with another page’s secret',
] as const;

export type Actor = (typeof ACTORS)[number];

/** A person with two keys, a terminal's session and a web session. */
interface Member {
  id: string;
  email: string;
  keys: string[];
  sessionId: string;
  webSessionId: string;
  cookie: string;
  page: string;
}

/** The people of one cell. Each cell has its own, because many requests change something. */
export interface Cast {
  alice: Member;
  /** Sends the actor's request. */
  send: (method: string, path: string, body: unknown) => Promise<Response>;
  /** Alice's rows. */
  rows: () => Promise<unknown>;
}

export async function castFor(server: TestServer, actor: Actor): Promise<Cast> {
  const { store, now } = server.context;
  const touched = now() - (actor.includes('old touch') ? 6 * MINUTE : MINUTE);
  const alice = await addMember(server, touched);
  const sender = /another person|disabled|end date|an owner/.test(actor) ? await addMember(server, touched) : alice;
  const change = {
    ...(actor.includes('disabled') ? { disabled_at: now() } : {}),
    ...(actor.includes('end date') ? { ends_at: now() } : {}),
    ...(actor.includes('an owner') ? { role: 'owner' as const } : {}),
  };
  if (Object.keys(change).length > 0) {
    await store.updateTable('people').set(change).where('id', '=', sender.id).execute();
  }
  if (actor.includes('ended session')) {
    await store.updateTable('sessions').set({ revoked_at: now() }).where('id', '=', sender.sessionId).execute();
  }
  if (actor.includes('idle')) {
    const seen = now() - 15 * MINUTE;
    await store.updateTable('web_sessions').set({ seen_at: seen }).where('id', '=', sender.webSessionId).execute();
  }
  const stranger = actor.includes('another page’s secret') ? await addMember(server, touched) : undefined;
  return {
    alice,
    send: (method, path, body) =>
      send(server, actor, { ...sender, page: stranger?.page ?? sender.page }, method, path, body),
    rows: async () => ({
      person: await store.selectFrom('people').selectAll().where('id', '=', alice.id).execute(),
      keys: await store.selectFrom('keys').selectAll().where('person_id', '=', alice.id).orderBy('id').execute(),
      sessions: await store.selectFrom('sessions').selectAll().where('person_id', '=', alice.id).execute(),
      pages: await store.selectFrom('web_sessions').selectAll().where('person_id', '=', alice.id).execute(),
    }),
  };
}

async function addMember({ context }: TestServer, touched: number): Promise<Member> {
  const { store, now } = context;
  const id = randomUUID();
  const member = {
    id,
    email: `${id}@example.com`,
    keys: [`${id}-1`, `${id}-2`],
    sessionId: randomUUID(),
    webSessionId: randomUUID(),
    cookie: base64url.encode(`cookie of ${id}`),
    page: base64url.encode(`page of ${id}`),
  };
  const [first = ''] = member.keys;
  await store.insertInto('people').values(personRow(id, member.email)).execute();
  await store
    .insertInto('keys')
    .values(member.keys.map((key) => keyRow(key, id)))
    .execute();
  const times = { auth_time: touched, expires_at: now() + 60 * MINUTE };
  await store
    .insertInto('sessions')
    .values(sessionRow(member.sessionId, id, first, times))
    .execute();
  await store
    .insertInto('web_sessions')
    .values({
      id: member.webSessionId,
      cookie_hash: hash(member.cookie),
      page_hash: hash(member.page),
      person_id: id,
      key_id: first,
      browser: null,
      ip: null,
      touched_at: touched,
      seen_at: now(),
      expires_at: now() + 60 * MINUTE,
    })
    .execute();
  return member;
}

async function send(server: TestServer, actor: Actor, sender: Member, method: string, path: string, body: unknown) {
  const headers: Record<string, string> = { origin: server.origin };
  const withBody = method !== 'GET' && body !== undefined;
  if (withBody) headers['content-type'] = 'application/json';
  if (actor.startsWith('agent')) {
    const client = await CliClient.create(server.origin);
    const token = await accessToken(server, sender, client.key);
    headers.authorization = `DPoP ${token}`;
    if (!actor.includes('without')) headers.dpop = await client.proof(method, path, { token });
  }
  if (actor.startsWith('page') || actor.startsWith('cookie')) {
    if (!actor.startsWith('page secret')) headers.cookie = `__Host-vouch-account=${sender.cookie}`;
    if (!actor.includes('alone') || actor.startsWith('page secret')) headers['vouch-page'] = sender.page;
  }
  return fetch(server.origin + path, {
    method,
    headers,
    redirect: 'manual',
    ...(withBody ? { body: JSON.stringify(body) } : {}),
  });
}
