import { audit } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { type SignedOut, signOut } from '../people/sign-out.ts';
import { Problem } from '../problem/problem.ts';
import { listSessions } from '../sessions/list.ts';
import type { Store, StoreTransaction } from '../store/store.ts';
import { webSessionsOf } from '../web-sessions/web-sessions.ts';
import { credentialsOfPerson, credentialsOfSessions } from './aws-credentials.ts';
import { type Caller, changeAs } from './caller.ts';

/** The most sessions in a list: nobody looks at more. */
const MOST = 100;

/** A session of the person's agent, on some machine. Times are milliseconds since the epoch. */
export interface AgentSession {
  id: string;
  machine: string | null;
  keyName: string;
  since: number;
  until: number;
  /** The role that it last asked for, and when. */
  lastRole: { arn: string; at: number } | null;
  current: boolean;
}

/** A browser that has the person's account open. */
export interface BrowserSession {
  id: string;
  browser: string | null;
  ip: string | null;
  /** The last touch, and the last request. */
  touchedAt: number;
  seenAt: number;
  current: boolean;
}

/** The caller's sessions that are not over, the latest first. */
export async function listOwnSessions(
  store: Store,
  now: number,
  caller: Caller,
): Promise<{ sessions: AgentSession[]; browsers: BrowserSession[] }> {
  const { personId, session } = caller;
  const { rows } = await listSessions(store, now, personId, { limit: MOST });
  return {
    sessions: rows.map(({ id, machine, key, since, until, lastRole, lastRoleAt }) => ({
      id,
      machine,
      keyName: key.name,
      since,
      until,
      lastRole: lastRole === null || lastRoleAt === null ? null : { arn: lastRole, at: lastRoleAt },
      current: id === session.id,
    })),
    browsers: (await webSessionsOf(store, personId, now)).map(({ id, browser, ip, touchedAt, seenAt }) => ({
      id,
      browser,
      ip,
      touchedAt,
      seenAt,
      current: id === session.id,
    })),
  };
}

/** What ended. */
export interface Ending {
  /** How many sessions of agents, and how many browsers. */
  sessions: number;
  browsers: number;
  /** Until when AWS may honour what the agents got, in milliseconds since the epoch. */
  awsCredentialsUntil: number | undefined;
}

/**
 * Ends one of the caller's sessions, of an agent or of a browser. It may be their present one.
 *
 * @throws Problem `not-found`
 */
export async function endOwnSession(context: Context, caller: Caller, id: string): Promise<Ending> {
  const ended = await changeAs(context, caller, async (transaction, now) => {
    const done = await endTheirs(transaction, now, caller, { id, personId: caller.personId });
    if (done.sessions.length > 0 || done.browsers > 0) return done;
    throw new Problem({
      kind: 'not-found',
      what: 'You have no such session',
      fix: 'Look at the list of your sessions again: it may be over.',
    });
  });
  return endingOf(context, ended);
}

/** Ends all of the caller's sessions but the present one. */
export async function endOtherSessions(context: Context, caller: Caller): Promise<Ending> {
  const others = { personId: caller.personId, except: caller.session.id };
  const ended = await changeAs(context, caller, (transaction, now) => endTheirs(transaction, now, caller, others));
  return endingOf(context, ended);
}

function endTheirs(
  transaction: StoreTransaction,
  now: number,
  { email, from }: Caller,
  which: { id: string; personId: string } | { personId: string; except: string },
): Promise<SignedOut> {
  return signOut(transaction, now, which, { reason: 'ended-by-person', actor: email, from });
}

async function endingOf(context: Context, { sessions, browsers }: SignedOut): Promise<Ending> {
  return {
    sessions: sessions.length,
    browsers,
    awsCredentialsUntil: await credentialsOfSessions(context, sessions),
  };
}

/**
 * "This was not me": ends all of the caller's sessions, the present one too. The audit trail has it as an event of its own, so that
 * somebody looks.
 */
export async function reportNotMe(context: Context, caller: Caller): Promise<Ending> {
  const { sessions, browsers } = await changeAs(context, caller, async (transaction, now) => {
    const { email, from, personId, keyId, session } = caller;
    await audit(transaction, now, {
      event: 'reported-not-me',
      actor: email,
      subject: email,
      from,
      keyId,
      sessionId: session.id,
    });
    const why = { reason: 'not-me' as const, actor: email, from };
    return signOut(transaction, now, { personId }, why);
  });
  return {
    sessions: sessions.length,
    browsers,
    awsCredentialsUntil: await credentialsOfPerson(context, caller.email),
  };
}
