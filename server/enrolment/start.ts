import type { RequestSource } from '../audit/audit.ts';
import { countRefusal } from '../audit/refusals.ts';
import type { Context } from '../context.ts';
import { findOpenInvitation } from '../invitations/invitations.ts';
import { keyNamesOf } from '../people/keys.ts';
import { findPerson } from '../people/people.ts';
import type { Problem } from '../problem/problem.ts';
import { hash, randomSecret } from '../secrets.ts';
import { isShutOut } from '../store/shut-out.ts';
import { insertEnrolment } from './enrolments.ts';
import { awaitsFirstOwner } from './first-owner.ts';
import { invitationRefused, noOwnerYet, shutOut } from './problems.ts';

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
  /** The keys that the new one takes the place of; undefined when it replaces none. */
  replaces: { name: string; model: string | null }[] | undefined;
  expiresAt: number;
}

/**
 * Starts an enrolment with an invitation's code. The invitation is used up only once a key is enrolled.
 *
 * @throws Problem `invitation-refused`; `owner-missing` or `person-shut-out` for the holder of the right code
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
    /** A new secret, the enrolment's name. */
    ticket: string;
  },
  from: RequestSource,
): Promise<StartedEnrolment> {
  const now = context.now();
  const invitation = await findOpenInvitation(context.store, request.code, now);
  // If the request names an address, it must be the invited one. The answer is the same as for a wrong code, so that it
  // reveals nothing.
  const foreign = request.email !== undefined && request.email.trim().toLowerCase() !== invitation?.email;
  const refuse = async (refused: Problem) => {
    const email = invitation?.email ?? null;
    await countRefusal(context.store, now, {
      event: 'enrolment-refused',
      problem: refused.kind,
      email,
      keyId: null,
      from,
    });
    return refused;
  };
  if (invitation === undefined || foreign) throw await refuse(invitationRefused());
  if (await awaitsFirstOwner(context.store, context.config)) throw await refuse(noOwnerYet());
  const person = await findPerson(context.store, invitation.email);
  if (person !== undefined && isShutOut(person, now)) throw await refuse(shutOut(person));
  const { ticket } = request;
  const poll = randomSecret();
  const page = request.byPage ? randomSecret() : undefined;
  const expiresAt = Math.min(now + LIFETIME_MS, invitation.expires_at);
  await insertEnrolment(context.store, {
    ticket_hash: hash(ticket),
    poll_hash: hash(poll),
    invitation_id: invitation.id,
    browser_hash: page === undefined ? null : hash(page),
    answer: page === undefined ? null : 'yes',
    owner_link: 0,
    client: request.client,
    machine: request.machine,
    key_name: request.keyName,
    created_at: now,
    expires_at: expiresAt,
  });
  const replaces = invitation.replace_keys === 1 ? await keyNamesOf(context.store, invitation.email) : undefined;
  return { ticket, poll, page, email: invitation.email, replaces, expiresAt };
}
