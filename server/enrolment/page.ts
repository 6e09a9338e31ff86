import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { audit, type RequestSource } from '../audit/audit.ts';
import { countingRefusals } from '../audit/refusals.ts';
import type { Context } from '../context.ts';
import { useInvitation } from '../invitations/invitations.ts';
import { insertKey, keyNamesOf, keysOf, nameFor, replaceKeys } from '../people/keys.ts';
import { findOrMakePerson, findPerson, hasOwner } from '../people/people.ts';
import { Problem } from '../problem/problem.ts';
import { hash, randomSecret } from '../secrets.ts';
import { isShutOut } from '../store/shut-out.ts';
import { randomWords } from '../text/words.ts';
import { acceptCounter, assertionOptions, foreignKey, verifyAssertion } from '../webauthn/assertion.ts';
import { registrationOptions, verifyRegistration } from '../webauthn/registration.ts';
import { type EndedAccess, endedAccess } from './ended-access.ts';
import { findApproved, findEnrolment, overProblem } from './enrolments.ts';
import { awaitsFirstOwner } from './first-owner.ts';
import { invitationRefused, noOwnerYet, otherBrowser, ownerLinkOver, shutOut } from './problems.ts';

/**
 * Binds an enrolment to the first page that opens it (in one atomic statement), or recognises that page again.
 *
 * The page gets a secret and keeps it for its own origin. Unlike a cookie, no other site and no other port can plant it or read it.
 *
 * @param known the page's secret, if it has one already
 * @returns what the page shows: nothing about the person before the terminal has approved
 * @throws Problem `invitation-refused`, `other-browser` or `interaction-over`
 */
export async function openEnrolment(context: Context, ticket: string, known: string | undefined) {
  const page = randomSecret();
  const first = await context.store
    .updateTable('enrolments')
    .set((is) => ({
      browser_hash: hash(page),
      // Only a terminal compares words.
      words: is.case().when('answer', 'is', null).then(randomWords()).else(null).end(),
    }))
    .where('ticket_hash', '=', hash(ticket))
    .where('browser_hash', 'is', null)
    .where('expires_at', '>', context.now())
    .returning('ticket_hash')
    .executeTakeFirst();
  const enrolment = await findEnrolment(context, ticket, first === undefined ? (known ?? '') : page);
  const opened = {
    ...(first === undefined ? {} : { page }),
    words: enrolment.words,
    approved: enrolment.answer === 'yes',
    expiresAt: enrolment.expires_at,
  };
  if (!opened.approved) return opened;
  const keys = await keyNamesOf(context.store, enrolment.email);
  const replaces = enrolment.replaceKeys === 1;
  return {
    ...opened,
    email: enrolment.email,
    client: enrolment.client,
    machine: enrolment.machine,
    requestedAt: enrolment.created_at,
    needsConfirmation: !replaces && keys.length > 0 && enrolment.confirmed_key_id === null,
    ...(replaces ? { replaces: keys } : {}),
  };
}

/** Options for a touch of an existing key, which must confirm the new one. */
export async function confirmationOptions(context: Context, ticket: string, page: string) {
  const enrolment = await findApproved(context, ticket, page);
  const keys = enrolment.replaceKeys === 1 ? [] : await keysOf(context.store, enrolment.email);
  if (keys.length === 0) {
    throw new Problem({
      kind: 'bad-request',
      category: 'conflict',
      what: 'There is no key to confirm with',
      fix: 'Reload the page.',
    });
  }
  return assertionOptions(context, 'confirm-enrolment', enrolment.ticket_hash, keys);
}

/**
 * Verifies the touch of an existing key.
 *
 * @returns the page's new secret, which replaces the old one
 * @throws Problem when the assertion is refused, or the key is another person's
 */
export async function confirmEnrolment(
  context: Context,
  ticket: string,
  page: string,
  response: AuthenticationResponseJSON,
  from: RequestSource,
): Promise<string> {
  const enrolment = await findApproved(context, ticket, page);
  return countingRefusals(context, refusalOf(enrolment, response, from), async () => {
    const key = await verifyAssertion(context, 'confirm-enrolment', enrolment.ticket_hash, response);
    if (key.email !== enrolment.email) throw foreignKey();
    const renewed = randomSecret();
    await context.store.transaction().execute(async (transaction) => {
      await acceptCounter(transaction, key, context.now());
      const confirmed = await transaction
        .updateTable('enrolments')
        .set({ confirmed_key_id: key.keyId, browser_hash: hash(renewed) })
        .where('ticket_hash', '=', enrolment.ticket_hash)
        .where('browser_hash', '=', hash(page))
        .returning('ticket_hash')
        .executeTakeFirst();
      if (confirmed === undefined) throw otherBrowser();
    });
    return renewed;
  });
}

/** Options for the new key. */
export async function newKeyOptions(context: Context, ticket: string, page: string) {
  const enrolment = await findApproved(context, ticket, page);
  const person = await findPerson(context.store, enrolment.email);
  // A key that replaces all others may be on the same authenticator as one of them: its PIN may have been reset.
  const keys = enrolment.replaceKeys === 1 ? [] : await keysOf(context.store, enrolment.email);
  checkConfirmed(keys, enrolment.confirmed_key_id);
  return registrationOptions(
    context,
    enrolment.ticket_hash,
    { email: enrolment.email, userHandle: person?.user_handle ?? enrolment.user_handle },
    keys,
  );
}

/**
 * Enrols the new key: uses up the invitation, makes the person if they are new, and stores the key, in one transaction. If the invitation
 * replaces keys, the same transaction removes the old ones and ends their sessions.
 *
 * @returns the key; after a recovery also until when AWS credentials may work that the ended sessions got
 * @throws Problem when the registration is refused, the invitation is used up or void, the person is shut out, or an ordinary enrolment
 * lacks the confirmation by a key that they have now
 */
export async function finishEnrolment(
  context: Context,
  ticket: string,
  page: string,
  response: RegistrationResponseJSON,
  from: RequestSource,
): Promise<{ email: string; key: { name: string; model: string | null } } & Partial<EndedAccess>> {
  const enrolment = await findApproved(context, ticket, page);
  return countingRefusals(context, refusalOf(enrolment, response, from), async () => {
    const key = await verifyRegistration(context, enrolment.ticket_hash, response);
    return context.store.transaction().execute(async (transaction) => {
      const now = context.now();
      const invitation = await useInvitation(transaction, enrolment.invitation_id, now);
      if (invitation === undefined) throw await overProblem(transaction, ticket);
      if (enrolment.owner_link === 1) {
        // Somebody was made an owner meanwhile: the link is of no more use to anybody.
        if (await hasOwner(transaction)) throw ownerLinkOver(false);
      } else if (await awaitsFirstOwner(transaction, context.config)) {
        throw noOwnerYet();
      }
      const person = await findPerson(transaction, invitation.email);
      if (person !== undefined && isShutOut(person, now)) throw shutOut(person);
      let replaced = 0;
      if (invitation.replace_keys === 1) {
        // It is for a person who is here: one who was removed meanwhile does not come back with it.
        if (person === undefined) throw invitationRefused();
        replaced = await replaceKeys(transaction, now, person, from);
      } else {
        checkConfirmed(await keysOf(transaction, invitation.email), enrolment.confirmed_key_id);
      }
      const { id, promoted } = await findOrMakePerson(transaction, invitation, enrolment.user_handle, now);
      const name = await nameFor(transaction, id, enrolment.key_name, key);
      await insertKey(transaction, id, name, key, now);
      const finished = await transaction
        .updateTable('enrolments')
        .set({ key_id: key.id })
        .where('ticket_hash', '=', enrolment.ticket_hash)
        .where('browser_hash', '=', hash(page))
        .where('answer', '=', 'yes')
        .returning('ticket_hash')
        .executeTakeFirst();
      // Meanwhile the page got a new secret, or the terminal said no.
      if (finished === undefined) throw otherBrowser();
      await audit(transaction, now, {
        event: 'enrolled',
        actor: invitation.email,
        subject: invitation.email,
        from,
        machine: enrolment.machine,
        keyId: key.id,
        detail: { name, model: key.model, aaguid: key.aaguid, replaced, confirmedBy: enrolment.confirmed_key_id },
      });
      // Their inviter decided this.
      const by = { actor: invitation.invited_by, from };
      if (promoted) await audit(transaction, now, { ...by, event: 'person-promoted', subject: invitation.email });
      const enrolled = { email: invitation.email, key: { name, model: key.model } };
      return invitation.replace_keys === 1
        ? { ...enrolled, ...(await endedAccess(transaction, context, invitation.email)) }
        : enrolled;
    });
  });
}

/** A person who has a key needs more than an invitation to add another: a touch of an existing key. */
function checkConfirmed(keys: { id: string }[], confirmedKeyId: string | null): void {
  if (keys.length === 0 || keys.some((key) => key.id === confirmedKeyId)) return;
  throw new Problem({
    kind: 'confirmation-needed',
    what: 'You have a key already: it must agree first',
    fix: 'Touch the key that you have enrolled, then the new one.',
  });
}

const refusalOf = ({ email }: { email: string }, { id }: { id: string }, from: RequestSource) => ({
  event: 'enrolment-refused' as const,
  email,
  keyId: id,
  from,
});
