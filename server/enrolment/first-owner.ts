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

/** How long the link is good for, in milliseconds. */
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
 * Makes the first owner's link, if the server has none yet and the settings name one: a one-time enrolment that is approved already, and
 * belongs to the first page that opens it. Each start voids the link of the start before, in the same transaction: of two servers that
 * start at once, the later one's link works.
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
    await voidLinks(transaction, now());
    if (email === undefined || !(await awaitsFirstOwner(transaction, config))) return undefined;
    if ((await findPerson(transaction, email)) !== undefined) return { email, link: undefined };
    const request = { email, role: 'owner', lasts: LIFETIME_MS } as const;
    const [invitation] = await inviteWithin(transaction, now(), [request], { actor: 'server' });
    if (invitation === undefined) throw new Error('one request makes one invitation');
    const ticket = randomSecret();
    const { id, expiresAt } = invitation;
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

async function voidLinks(transaction: StoreTransaction, now: number): Promise<void> {
  const links = transaction.selectFrom('enrolments').where('owner_link', '=', 1).select('invitation_id');
  const voided = await transaction
    .updateTable('invitations')
    .set({ revoked_at: now })
    .where('id', 'in', links)
    .where(isOpen(now))
    .returning('email')
    .execute();
  for (const { email } of voided) {
    await audit(transaction, now, { event: 'invitation-revoked', actor: 'server', subject: email, reason: 'replaced' });
  }
}
