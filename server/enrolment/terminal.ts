import { audit, type RequestSource } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { hash } from '../secrets.ts';
import { endedAccess } from './ended-access.ts';
import { goesOn } from './enrolments.ts';
import { enrolmentCancelled, enrolmentOver } from './problems.ts';

/**
 * The state of an enrolment, for the terminal that started it.
 *
 * @throws Problem `cancelled` when the person cancelled on the page; `interaction-over` when it is over, or when the poll secret is wrong
 */
export async function enrolmentStatus(context: Context, poll: string) {
  const row = await context.store
    .selectFrom('enrolments')
    .innerJoin('invitations', 'invitations.id', 'enrolments.invitation_id')
    .leftJoin('keys', 'keys.id', 'enrolments.key_id')
    .where('enrolments.poll_hash', '=', hash(poll))
    .select([
      'invitations.email as email',
      'enrolments.words as words',
      'enrolments.answer as answer',
      'enrolments.expires_at as expiresAt',
      'keys.name as name',
      'keys.model as model',
      'invitations.used_at as usedAt',
      'invitations.replace_keys as replaceKeys',
      'invitations.revoked_at as revokedAt',
    ])
    .executeTakeFirst();
  if (row === undefined) throw enrolmentOver('not-found');
  if (row.answer === 'cancelled') throw enrolmentCancelled('not-found');
  if (row.name !== null) {
    const ended = row.replaceKeys === 1 ? await endedAccess(context.store, context, row.email) : {};
    return { state: 'done', email: row.email, key: { name: row.name, model: row.model }, ...ended };
  }
  const over = row.usedAt !== null || row.revokedAt !== null || row.expiresAt <= context.now() || row.answer === 'no';
  if (over) throw enrolmentOver('not-found');
  if (row.answer === 'yes') return { state: 'approved', email: row.email };
  return row.words === null
    ? { state: 'waiting', email: row.email }
    : { state: 'opened', email: row.email, words: row.words };
}

/**
 * Approves the page that has opened an enrolment, because the person at the terminal sees the same words there. The statement checks the
 * words, so that no other page can be approved.
 *
 * @throws Problem `cancelled` when the person cancelled on the page; `interaction-over` when it is over, or when no page shows these words
 */
export async function approveEnrolment(context: Context, poll: string, words: string): Promise<void> {
  const approved = await context.store
    .updateTable('enrolments')
    .set({ answer: 'yes' })
    .where('poll_hash', '=', hash(poll))
    .where('words', '=', words)
    // Saying yes again is fine: the first answer may have been lost on the way.
    .where(goesOn)
    .where('expires_at', '>', context.now())
    .returning('ticket_hash')
    .executeTakeFirst();
  if (approved !== undefined) return;
  const row = await context.store
    .selectFrom('enrolments')
    .where('poll_hash', '=', hash(poll))
    .select('answer')
    .executeTakeFirst();
  throw row?.answer === 'cancelled' ? enrolmentCancelled() : enrolmentOver();
}

/** Ends an enrolment whose page somebody else has opened, even after approval. The invitation stays good. */
export async function denyEnrolment(context: Context, poll: string, from: RequestSource): Promise<void> {
  // Anybody may ask, and a transaction keeps all other writers waiting.
  const known = context.store.selectFrom('enrolments').where('poll_hash', '=', hash(poll)).select('poll_hash');
  if ((await known.executeTakeFirst()) === undefined) return;
  await context.store.transaction().execute(async (transaction) => {
    const denied = await transaction
      .updateTable('enrolments')
      .set({ answer: 'no' })
      .where('poll_hash', '=', hash(poll))
      .where(goesOn)
      .where('key_id', 'is', null)
      .where('expires_at', '>', context.now())
      .returning(['invitation_id', 'machine'])
      .executeTakeFirst();
    if (denied === undefined) return;
    const { email } = await transaction
      .selectFrom('invitations')
      .select('email')
      .where('id', '=', denied.invitation_id)
      .executeTakeFirstOrThrow();
    await audit(transaction, context.now(), {
      event: 'enrolment-denied',
      actor: email,
      subject: email,
      from,
      machine: denied.machine,
      result: 'refused',
      reason: 'other-words',
    });
  });
}
