import { audit } from '../audit/audit.ts';
import type { Config } from '../config/config.ts';
import type { Context } from '../context.ts';
import { inviteWithin } from '../invitations/invite.ts';
import { isOpen } from '../people/open-invitations.ts';
import { findPerson, hasOwner } from '../people/people.ts';
import { Problem } from '../problem/problem.ts';
import { hash, randomSecret } from '../secrets.ts';
import type { Store, StoreTransaction } from '../store/store.ts';
import { insertEnrolment } from './enrolments.ts';

/** How long a link is good for at most, in milliseconds, and half as long at least. */
const LIFETIME_MS = 24 * 3600 * 1000;

/** What a server that has no owner prints when it starts. */
export type Offer =
  | { email: string; link: string; expiresAt: number }
  /** The setting names somebody who is here already: they need no link, but another role. */
  | { email: string; link: undefined };

/** Whether only the first owner may get in: the setting names one, and nobody is an owner yet. */
export async function awaitsFirstOwner(store: Store, { ownerEmail }: Pick<Config, 'ownerEmail'>): Promise<boolean> {
  return ownerEmail !== undefined && !(await hasOwner(store));
}

/**
 * Refuses an invitation for anybody else while only the first owner may get in.
 *
 * @throws Problem `owner-missing`
 */
export async function refuseBeforeOwner(store: Store, { ownerEmail }: Pick<Config, 'ownerEmail'>): Promise<void> {
  if (ownerEmail === undefined || !(await awaitsFirstOwner(store, { ownerEmail }))) return;
  const isMember = (await findPerson(store, ownerEmail)) !== undefined;
  throw new Problem({
    kind: 'owner-missing',
    what: `Nobody owns this server yet. VOUCH_OWNER_EMAIL names ${ownerEmail}, who comes first.`,
    fix: isMember
      ? `Run \`vouch-server people promote ${ownerEmail}\`, and invite others then.`
      : 'Open the link that the server printed on standard error when it started; a restart prints a new one. Invite others then.',
  });
}

/**
 * Makes a first owner's link, if the server has no owner yet and the settings name one: a one-time enrolment that is approved already, and
 * belongs to the first page that opens it. Each start makes its own. Those of earlier starts stay good as long as nobody has opened one:
 * several instances start, and people read the log of any of them. Whichever is used first makes the owner, because all belong to one
 * invitation. As soon as one is opened, the next start voids them all, so that whoever sees a stranger come first can stop them.
 *
 * @returns what to print; undefined when there is nothing to do
 */
export function offerOwnership({
  config,
  store,
  now,
}: Pick<Context, 'config' | 'store' | 'now'>): Promise<Offer | undefined> {
  const { ownerEmail: email, issuer } = config;
  return store.transaction().execute(async (transaction) => {
    const isAwaited = email !== undefined && (await awaitsFirstOwner(transaction, config));
    const isHere = isAwaited && (await findPerson(transaction, email)) !== undefined;
    const unopened = isAwaited && !isHere ? await findUnopened(transaction, email, now()) : undefined;
    await voidLinks(transaction, now(), unopened?.id);
    if (!isAwaited) return undefined;
    if (isHere) return { email, link: undefined };
    const { id, expiresAt } = unopened ?? (await inviteOwner(transaction, email, now()));
    const ticket = randomSecret();
    await insertEnrolment(transaction, {
      ticket_hash: hash(ticket),
      // No terminal asks about it.
      poll_hash: hash(randomSecret()),
      invitation_id: id,
      browser_hash: null,
      answer: 'yes',
      owner_link: 1,
      client: 'a link that the server printed',
      machine: null,
      key_name: null,
      created_at: now(),
      expires_at: expiresAt,
    });
    return { email, link: `${issuer}/enroll/${ticket}`, expiresAt };
  });
}

async function inviteOwner(transaction: StoreTransaction, email: string, now: number) {
  const request = { email, role: 'owner', lasts: LIFETIME_MS } as const;
  const [invitation] = await inviteWithin(transaction, now, [request], { actor: 'server' });
  if (invitation === undefined) throw new Error('one request makes one invitation');
  return invitation;
}

/** The invitation of the links that were made before, if it is good for long enough and nobody has opened any of them. */
async function findUnopened(transaction: StoreTransaction, email: string, now: number) {
  return transaction
    .selectFrom('invitations')
    .where('email', '=', email)
    .where(isOpen(now))
    .where('expires_at', '>=', now + LIFETIME_MS / 2)
    .where('id', 'in', linksIn(transaction))
    .where('id', 'not in', linksIn(transaction).where('browser_hash', 'is not', null))
    .select(['id', 'expires_at as expiresAt'])
    .executeTakeFirst();
}

/** The invitations of all links. */
function linksIn(transaction: StoreTransaction) {
  return transaction.selectFrom('enrolments').where('owner_link', '=', 1).select('invitation_id');
}

/** @param but the invitation whose links stay good */
async function voidLinks(transaction: StoreTransaction, now: number, but = ''): Promise<void> {
  const voided = await transaction
    .updateTable('invitations')
    .set({ revoked_at: now })
    .where('id', 'in', linksIn(transaction))
    .where('id', '!=', but)
    .where(isOpen(now))
    .returning('email')
    .execute();
  for (const { email } of voided) {
    await audit(transaction, now, { event: 'invitation-revoked', actor: 'server', subject: email, reason: 'replaced' });
  }
}
