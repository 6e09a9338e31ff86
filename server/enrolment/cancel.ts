import { audit, type RequestSource } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { hash } from '../secrets.ts';
import { findEnrolment, goesOn } from './enrolments.ts';

/**
 * Ends an enrolment because the person cancels on its page, even before the terminal has approved it. The invitation stays good, and a
 * terminal that waits learns of it.
 *
 * @param page the page's secret
 * @throws Problem `cancelled` when it was cancelled before, or as findEnrolment
 */
export async function cancelEnrolment(
  context: Context,
  ticket: string,
  page: string,
  from: RequestSource,
): Promise<void> {
  const enrolment = await findEnrolment(context, ticket, page);
  // No terminal waits, and the page may be opened again: the link is the only way in, and this enrolment is all that it leads to.
  if (enrolment.owner_link === 1) return;
  const { email, ticket_hash, machine } = enrolment;
  await context.store.transaction().execute(async (transaction) => {
    const cancelled = await transaction
      .updateTable('enrolments')
      .set({ answer: 'cancelled' })
      .where('ticket_hash', '=', ticket_hash)
      .where('browser_hash', '=', hash(page))
      .where(goesOn)
      .where('key_id', 'is', null)
      .returning('ticket_hash')
      .executeTakeFirst();
    if (cancelled === undefined) return;
    await audit(transaction, context.now(), {
      event: 'enrolment-cancelled',
      // Before the terminal has agreed, anybody who read the page's address may have opened it.
      actor: enrolment.answer === 'yes' ? email : 'unknown',
      subject: email,
      from,
      machine,
    });
  });
}
