import { randomBytes } from 'node:crypto';
import type { ExpressionBuilder } from 'kysely';
import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { hash } from '../secrets.ts';
import type { Schema } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { enrolmentCancelled, invitationRefused, otherBrowser, ownerLinkOver, ownerLinkTaken } from './problems.ts';

type Begun = 'words' | 'user_handle' | 'confirmed_key_id' | 'key_id';

/** Stores an enrolment that begins. */
export async function insertEnrolment(store: Store, enrolment: Omit<Schema['enrolments'], Begun>): Promise<void> {
  const user_handle = randomBytes(32).toString('base64url');
  await store
    .insertInto('enrolments')
    .values({ ...enrolment, words: null, user_handle, confirmed_key_id: null, key_id: null })
    .execute();
}

/** Neither the terminal nor the page has ended the enrolment. */
export const goesOn = (is: ExpressionBuilder<Schema, 'enrolments'>) =>
  is.or([is('answer', 'is', null), is('answer', '=', 'yes')]);

/**
 * The running enrolment that a ticket names, for the page that it is bound to.
 *
 * @param page the page's secret
 * @throws Problem `invitation-refused`, `other-browser`, `cancelled` or `interaction-over`; `owner-link-over` for the first owner's link
 */
export async function findEnrolment(context: Context, ticket: string, page: string) {
  const row = await context.store
    .selectFrom('enrolments')
    .innerJoin('invitations', 'invitations.id', 'enrolments.invitation_id')
    .where('enrolments.ticket_hash', '=', hash(ticket))
    .where('enrolments.key_id', 'is', null)
    .where('enrolments.expires_at', '>', context.now())
    .where('invitations.used_at', 'is', null)
    .where('invitations.revoked_at', 'is', null)
    .where('invitations.expires_at', '>', context.now())
    .selectAll('enrolments')
    .select(['invitations.email as email', 'invitations.replace_keys as replaceKeys'])
    .executeTakeFirst();
  if (row === undefined) throw await overProblem(context.store, ticket);
  if (row.browser_hash !== hash(page)) throw row.owner_link === 1 ? ownerLinkTaken() : otherBrowser();
  if (row.answer === 'cancelled') throw enrolmentCancelled();
  if (row.answer === 'no') {
    throw new Problem({
      kind: 'interaction-over',
      what: 'The terminal said that this is not its page',
      fix: 'No key was enrolled, and the invitation is still good. Run `vouch enroll` again.',
    });
  }
  return row;
}

/** The same, once the terminal has approved the page. Before that the server neither asks a key for anything nor accepts one. */
export async function findApproved(context: Context, ticket: string, page: string) {
  const enrolment = await findEnrolment(context, ticket, page);
  if (enrolment.answer === 'yes') return enrolment;
  throw new Problem({
    kind: 'approval-needed',
    what: 'Your terminal has not agreed yet',
    fix: 'Say there whether this page shows the same words.',
  });
}

/** Whether a ticket's page can still show something. */
export async function hasEnrolment(store: Store, now: number, ticket: string): Promise<boolean> {
  const row = await store
    .selectFrom('enrolments')
    .where('ticket_hash', '=', hash(ticket))
    .where('expires_at', '>', now)
    .select('ticket_hash')
    .executeTakeFirst();
  return row !== undefined;
}

/** Why a ticket opens nothing. A holder of a first owner's link may know what became of it. */
export async function overProblem(store: Store, ticket: string): Promise<Problem> {
  const row = await store
    .selectFrom('enrolments')
    .innerJoin('invitations', 'invitations.id', 'enrolments.invitation_id')
    .where('enrolments.ticket_hash', '=', hash(ticket))
    .select(['enrolments.owner_link', 'invitations.used_at'])
    .executeTakeFirst();
  return row?.owner_link === 1 ? ownerLinkOver(row.used_at !== null) : invitationRefused();
}
