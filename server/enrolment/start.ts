import { randomBytes } from 'node:crypto';
import type { RequestSource } from '../audit/audit.ts';
import { countRefusal } from '../audit/refusals.ts';
import type { Context } from '../context.ts';
import { hash, randomSecret } from '../secrets.ts';
import { findOpenInvitation } from './invitations.ts';
import { invitationRefused } from './problems.ts';

/** How long an enrolment may take, in milliseconds. */
const LIFETIME_MS = 15 * 60 * 1000;

export interface StartedEnrolment {
  /** Part of the page's URL, which others on the machine can read: it opens a page, which the terminal must approve. */
  ticket: string;
  /** The terminal's secret. With it the terminal asks for the enrolment's state, and names the right page. */
  poll: string;
  /** The page's secret, if the page itself gave the code and so needs no approval. */
  page: string | undefined;
  email: string;
  expiresAt: number;
}

/**
 * Starts an enrolment with an invitation's code. The invitation is used up only once a key is enrolled.
 *
 * @throws Problem `invitation-refused`
 */
export async function startEnrolment(
  context: Context,
  request: {
    code: string;
    email?: string;
    client: string;
    machine: string | null;
    keyName: string | null;
    /** Whether the page itself starts it, without a terminal. */
    byPage: boolean;
  },
  from: RequestSource,
): Promise<StartedEnrolment> {
  const now = context.now();
  const invitation = await findOpenInvitation(context.store, request.code, now);
  // If the request names an address, it must be the invited one. The answer is the same as for a wrong code, so that it
  // reveals nothing.
  const foreign = request.email !== undefined && request.email.trim().toLowerCase() !== invitation?.email;
  if (invitation === undefined || foreign) {
    const refused = invitationRefused();
    await countRefusal(context.store, now, {
      event: 'enrolment-refused',
      problem: refused.kind,
      email: invitation?.email ?? null,
      keyId: null,
      from,
    });
    throw refused;
  }
  const ticket = randomSecret();
  const poll = randomSecret();
  const page = request.byPage ? randomSecret() : undefined;
  const expiresAt = Math.min(now + LIFETIME_MS, invitation.expires_at);
  await context.store
    .insertInto('enrolments')
    .values({
      ticket_hash: hash(ticket),
      poll_hash: hash(poll),
      invitation_id: invitation.id,
      browser_hash: page === undefined ? null : hash(page),
      words: null,
      answer: page === undefined ? null : 'yes',
      user_handle: randomBytes(32).toString('base64url'),
      client: request.client,
      machine: request.machine,
      key_name: request.keyName,
      confirmed_key_id: null,
      key_id: null,
      created_at: now,
      expires_at: expiresAt,
    })
    .execute();
  return { ticket, poll, page, email: invitation.email, expiresAt };
}
