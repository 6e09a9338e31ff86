import { pino } from 'pino';
import { verifyTrail } from '../../server/audit/verify.ts';
import type { Config } from '../../server/config/config.ts';
import type { Context } from '../../server/context.ts';
import { newKeyOptions } from '../../server/enrolment/page.ts';
import { startEnrolment } from '../../server/enrolment/start.ts';
import { inviteWithin } from '../../server/invitations/invite.ts';
import { randomSecret } from '../../server/secrets.ts';
import { readSnapshot } from '../../server/store/snapshot.ts';
import type { Store, StoreTransaction } from '../../server/store/store.ts';
import { beginWebSession } from '../../server/web-sessions/web-sessions.ts';
import { Browser } from '../server/browser.ts';
import { keyRow, personRow, sessionRow } from '../server/rows.ts';
import { SoftKey } from '../server/soft-key.ts';

/** A change of somebody's keys whose last request has not been sent yet. */
export interface Change {
  kind: Kind;
  email: string;
  /** The person's keys that work, before and after it. */
  before: readonly string[];
  after: readonly string[];
  /** The invitation that it uses up. */
  invited: boolean;
  /** How many sessions it ends. */
  ends: number;
  send(): Promise<Response>;
}

export const kinds = ['recovery', 'first key', 'further key', 'removal'] as const;
export type Kind = (typeof kinds)[number];

const from = { ip: '127.0.0.1', requestId: 'prepared' };

let count = 0;

/** What it takes to prepare: a context whose store is a transaction, so that many changes cost one write. */
type Preparing = Omit<Context, 'store'> & { store: StoreTransaction };

/** Prepares a change of a new person, up to its last request. */
async function prepare(context: Preparing, kind: Kind): Promise<Change> {
  count += 1;
  const email = `person${count}@example.com`;
  if (kind === 'removal') return prepareRemoval(context, email);
  const before = { recovery: ['lost', 'also-lost'], 'first key': [], 'further key': ['kept'] }[kind].map(named(email));
  if (before.length > 0) await addPerson(context, email, before);
  const request = { email, replaceKeys: kind === 'recovery' };
  const [invitation] = await inviteWithin(context.store, context.now(), [request], { actor: 'cli:root' });
  const asked = {
    code: String(invitation?.code),
    client: 'this browser',
    byPage: true,
    ticket: randomSecret(),
    machine: null,
    keyName: null,
  };
  const { ticket, page = '' } = await startEnrolment(context, asked, from);
  // As if that key had been touched.
  const [confirmed] = before;
  if (kind === 'further key') {
    await context.store
      .updateTable('enrolments')
      .set({ confirmed_key_id: confirmed ?? null })
      .where('invitation_id', '=', String(invitation?.id))
      .execute();
  }
  const key = new SoftKey(context.config.issuer);
  const answer = key.create(await newKeyOptions(context, ticket, page));
  const browser = new Browser(context.config.issuer);
  return {
    kind,
    email,
    before,
    after: kind === 'recovery' ? [key.id] : [...before, key.id],
    invited: true,
    ends: kind === 'recovery' ? before.length : 0,
    send: () => browser.post(`/enroll/${ticket}/verify`, answer, { 'vouch-page': page }),
  };
}

/** One of two keys is removed on the page of my account. */
async function prepareRemoval(context: Preparing, email: string): Promise<Change> {
  const [kept = '', gone = ''] = ['kept', 'gone'].map(named(email));
  const person = await addPerson(context, email, [kept, gone]);
  const now = context.now();
  const visit = { person, keyId: kept, browser: null, from, expiresAt: now + 3600_000 };
  const secrets = await beginWebSession(context.store, now, visit, undefined);
  const headers = { 'vouch-page': secrets.page, cookie: `__Host-vouch-account=${secrets.cookie}` };
  const browser = new Browser(context.config.issuer);
  return {
    kind: 'removal',
    email,
    before: [kept, gone],
    after: [kept],
    invited: false,
    ends: 1,
    send: () => browser.delete(`/account/keys/${gone}`, headers),
  };
}

/** A key's ID: base64url, as WebAuthn's are. */
const named = (email: string) => (name: string) => Buffer.from(`${name} key of ${email}`).toString('base64url');

/** Adds a person with these keys, each with a session. */
async function addPerson({ store }: Context, email: string, keys: readonly string[]) {
  await store.insertInto('people').values(personRow(email, email)).execute();
  for (const key of keys) {
    await store.insertInto('keys').values(keyRow(key, email)).execute();
    await store
      .insertInto('sessions')
      .values(sessionRow(`session of ${key}`, email, key))
      .execute();
  }
  return { id: email, email };
}

/** What it takes to prepare and to look at changes: a context without a server around it. */
export function contextOf(config: Config, store: Store): Context {
  return {
    config,
    store,
    log: pino({ level: 'silent' }),
    keyPolicy: () => ({ ...config.keyRules, metadata: undefined }),
    // Nothing here signs a token.
    keys: undefined as never,
    now: Date.now,
  };
}

/** Prepares some changes in one transaction. @param choose what kind each has */
export function prepareMany(context: Context, count: number, choose: () => Kind): Promise<Change[]> {
  return context.store.transaction().execute(async (store) => {
    const made: Change[] = [];
    while (made.length < count) made.push(await prepare({ ...context, store }, choose()));
    return made;
  });
}

/**
 * Sends the last request of each change.
 *
 * @param unconfirmed the statuses of answers that leave open whether the change happened
 */
export function send(changes: readonly Change[], unconfirmed: readonly number[] = []) {
  const confirmed = new Set<Change>();
  const refused: string[] = [];
  const ended = changes.map(async (change) => {
    // A server that is killed does not answer.
    const response = await change.send().catch(() => undefined);
    if (response?.ok) confirmed.add(change);
    else if (response !== undefined && !unconfirmed.includes(response.status))
      refused.push(`${change.kind} of ${change.email} got ${response.status}`);
  });
  return { confirmed, refused, ended };
}

/** What is wrong with changes that were sent, and with the audit trail. */
export async function flawsOfAll(
  store: Store,
  changes: readonly Change[],
  confirmed: ReadonlySet<Change>,
): Promise<string[]> {
  const found = await Promise.all(changes.map((change) => flawsOf(store, change, confirmed.has(change))));
  const { fault } = await readSnapshot(store, verifyTrail);
  return [...found.flat(), ...(fault === undefined ? [] : [`the chain is broken: ${JSON.stringify(fault)}`])];
}

/**
 * What is wrong in a database with the traces of a change: it must have happened as a whole or not at all, and if it was confirmed, it must
 * have happened.
 */
async function flawsOf(store: Store, change: Change, confirmed: boolean): Promise<string[]> {
  const { kind, email, before, after } = change;
  const keys = await store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .where('keys.removed_at', 'is', null)
    .select('keys.id')
    .execute();
  const person = await store.selectFrom('people').where('email', '=', email).select('id').executeTakeFirst();
  const has = keys.map(({ id }) => id).sort();
  const same = (wanted: readonly string[]) => JSON.stringify(has) === JSON.stringify([...wanted].sort());
  const happened = same(after);
  const flaws: string[] = [];
  const flaw = (what: string) => flaws.push(`${kind} of ${email}: ${what}`);
  if (!happened && !same(before)) flaw(`the keys are ${has}, and should be ${before} or ${after}`);
  if (confirmed && !happened) flaw('it was confirmed, and did not happen');
  if (person === undefined && before.length + has.length > 0) flaw('the person is gone');
  if (person !== undefined && has.length === 0) flaw('the person has no key');

  const used = await store.selectFrom('invitations').where('email', '=', email).select('used_at').executeTakeFirst();
  if (change.invited && (used?.used_at !== null) !== happened)
    flaw('the invitation is used without it, or open after it');
  const ended = await store
    .selectFrom('sessions')
    .where('person_id', '=', person?.id ?? '')
    .where('revoked_at', 'is not', null)
    .select('id')
    .execute();
  if (ended.length !== (happened ? change.ends : 0)) flaw(`${ended.length} sessions are over`);

  const rows = await store.selectFrom('audit').where('subject', '=', email).select('event').execute();
  const times = (event: string) => rows.filter((row) => row.event === event).length;
  const lost = happened ? before.filter((key) => !after.includes(key)).length : 0;
  if (times('enrolled') !== (happened && change.invited ? 1 : 0))
    flaw(`'enrolled' is ${times('enrolled')} times in the audit`);
  if (times('key-removed') !== lost) flaw(`'key-removed' is ${times('key-removed')} times in the audit`);
  if (times('session-ended') !== ended.length) flaw(`'session-ended' is ${times('session-ended')} times in the audit`);
  return flaws;
}
