import { randomBytes, randomUUID } from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { audit } from '../audit/audit.ts';
import { countRefusal } from '../audit/refusals.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem.ts';
import { hash, randomSecret } from '../secrets.ts';
import type { Store } from '../store/store.ts';
import { acceptCounter, assertionOptions, verifyAssertion } from '../webauthn/assertion.ts';
import { type NewKey, registrationOptions, verifyRegistration } from '../webauthn/registration.ts';
import { randomWords } from '../words.ts';
import { findOpenInvitation, useInvitation } from './invitations.ts';

/** How long an enrolment may take from its start, in milliseconds. */
const LIFETIME_MS = 15 * 60 * 1000;

export interface StartedEnrolment {
  /** In the page's URL, which others on the machine can read: it opens a page, which the terminal then agrees to or not. */
  ticket: string;
  /** A secret for the terminal alone: to ask how it goes, and to say which page is the right one. */
  poll: string;
  /** A secret for the page, where the page itself gave the code and so needs nobody's agreement. */
  page: string | undefined;
  email: string;
  expiresAt: number;
}

/**
 * Opens an enrolment with an invitation's code. The invitation is used up only when a key has been enrolled.
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
    /** Whether the page itself asks: there is no terminal. */
    byPage: boolean;
  },
  ip: string,
): Promise<StartedEnrolment> {
  const now = context.now();
  const invitation = await findOpenInvitation(context.store, request.code, now);
  // Who names an address must name the invited one; the answer is the same, so that it tells nothing.
  const foreign = request.email !== undefined && request.email.trim().toLowerCase() !== invitation?.email;
  if (invitation === undefined || foreign) {
    const refused = invitationRefused();
    await countRefusal(context.store, now, {
      event: 'enrolment-refused',
      problem: refused.problem,
      email: invitation?.email ?? null,
      keyId: null,
      ip,
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

/** How an enrolment goes, for who started it; undefined when the poll secret is nobody's or it is long over. */
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
    ])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.name !== null) return { state: 'done', email: row.email, key: { name: row.name, model: row.model } };
  if (row.expiresAt <= context.now() || row.answer === 'no') return undefined;
  if (row.answer === 'yes') return { state: 'approved', email: row.email };
  return row.words === null
    ? { state: 'waiting', email: row.email }
    : { state: 'opened', email: row.email, words: row.words };
}

/**
 * Lets the page that has opened an enrolment go on: the person at the terminal sees the same words there. They are part of the
 * statement, so that no other page can be meant.
 *
 * @throws Problem `interaction-over` when it is over, or no page shows these words
 */
export async function approveEnrolment(context: Context, poll: string, words: string): Promise<void> {
  const approved = await context.store
    .updateTable('enrolments')
    .set({ answer: 'yes' })
    .where('poll_hash', '=', hash(poll))
    .where('words', '=', words)
    // Said twice it is as true: the first answer may have been lost on the way.
    .where((is) => is.or([is('answer', 'is', null), is('answer', '=', 'yes')]))
    .where('expires_at', '>', context.now())
    .returning('ticket_hash')
    .executeTakeFirst();
  if (approved !== undefined) return;
  throw new Problem(410, 'interaction-over', 'This enrolment is over', 'Run `vouch enroll` again.');
}

/** Ends an enrolment whose page somebody else has opened, also one that was agreed to. The invitation stays good. */
export async function denyEnrolment(context: Context, poll: string, ip: string): Promise<void> {
  await context.store.transaction().execute(async (transaction) => {
    const denied = await transaction
      .updateTable('enrolments')
      .set({ answer: 'no' })
      .where('poll_hash', '=', hash(poll))
      .where((is) => is.or([is('answer', 'is', null), is('answer', '=', 'yes')]))
      .where('key_id', 'is', null)
      .where('expires_at', '>', context.now())
      .returning('invitation_id')
      .executeTakeFirst();
    if (denied === undefined) return;
    const { email } = await transaction
      .selectFrom('invitations')
      .select('email')
      .where('id', '=', denied.invitation_id)
      .executeTakeFirstOrThrow();
    const detail = { reason: 'the terminal said that the page shows other words' };
    await audit(transaction, context.now(), { event: 'enrolment-denied', email, ip, detail });
  });
}

/**
 * Binds an enrolment to the page that opens it first (one atomic statement), or lets the same page in again.
 *
 * The page's secret is made here and kept by the page for its own origin: unlike a cookie, no other site and no other port can
 * plant it or read it.
 *
 * @param known the secret that the page has, if it has one
 * @returns what the page shows; before the terminal has agreed, that is nothing of the person
 * @throws Problem `invitation-refused`, `other-browser` or `interaction-over`
 */
export async function openEnrolment(context: Context, ticket: string, known: string | undefined) {
  const page = randomSecret();
  const first = await context.store
    .updateTable('enrolments')
    .set({ browser_hash: hash(page), words: randomWords() })
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
  const keys = await keysOf(context.store, enrolment.email);
  return {
    ...opened,
    email: enrolment.email,
    client: enrolment.client,
    machine: enrolment.machine,
    requestedAt: enrolment.created_at,
    needsConfirmation: keys.length > 0 && enrolment.confirmed_key_id === null,
  };
}

/** Options for the touch of a key that the person has, before another may be added. */
export async function confirmationOptions(context: Context, ticket: string, page: string) {
  const enrolment = await findApproved(context, ticket, page);
  const keys = await keysOf(context.store, enrolment.email);
  if (keys.length === 0) throw new Problem(409, 'bad-request', 'There is no key to confirm with', 'Reload the page.');
  return assertionOptions(context, 'confirm-enrolment', enrolment.ticket_hash, keys);
}

/**
 * Takes the touch of a key that the person has.
 *
 * @returns the page's new secret: what the old one was worth ends with the touch
 * @throws Problem when the assertion is refused, or the key is another person's
 */
export async function confirmEnrolment(
  context: Context,
  ticket: string,
  page: string,
  response: AuthenticationResponseJSON,
  ip: string,
): Promise<string> {
  const enrolment = await findApproved(context, ticket, page);
  return auditRefusal(context, enrolment.email, response.id, ip, async () => {
    const key = await verifyAssertion(context, 'confirm-enrolment', enrolment.ticket_hash, response);
    if (key.email !== enrolment.email) {
      throw new Problem(
        403,
        'unknown-key',
        'This key is another person’s',
        'Use a key that you have enrolled yourself.',
      );
    }
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
  const keys = await keysOf(context.store, enrolment.email);
  checkConfirmed(keys, enrolment.confirmed_key_id);
  return registrationOptions(
    context,
    enrolment.ticket_hash,
    { email: enrolment.email, userHandle: person?.user_handle ?? enrolment.user_handle },
    keys,
  );
}

/**
 * Enrols the new key: uses the invitation up, makes the person if they are new, and stores the key, all or nothing.
 *
 * @throws Problem when the registration is refused, the invitation is used up, or a confirmation is needed by now
 */
export async function finishEnrolment(
  context: Context,
  ticket: string,
  page: string,
  response: RegistrationResponseJSON,
  ip: string,
): Promise<{ email: string; key: { name: string; model: string | null } }> {
  const enrolment = await findApproved(context, ticket, page);
  return auditRefusal(context, enrolment.email, response.id, ip, async () => {
    const key = await verifyRegistration(context, enrolment.ticket_hash, response);
    return context.store.transaction().execute(async (transaction) => {
      const now = context.now();
      const invitation = await useInvitation(transaction, enrolment.invitation_id, now);
      if (invitation === undefined) throw invitationRefused();
      const keys = await keysOf(transaction, invitation.email);
      checkConfirmed(keys, enrolment.confirmed_key_id);
      const personId = await findOrMakePerson(transaction, invitation, enrolment.user_handle, now);
      const name = await nameFor(transaction, personId, enrolment.key_name, key);
      await insertKey(transaction, personId, name, key, now);
      const finished = await transaction
        .updateTable('enrolments')
        .set({ key_id: key.id })
        .where('ticket_hash', '=', enrolment.ticket_hash)
        .where('browser_hash', '=', hash(page))
        .where('answer', '=', 'yes')
        .returning('ticket_hash')
        .executeTakeFirst();
      // By now the page is another one, or the terminal has said no.
      if (finished === undefined) throw otherBrowser();
      await audit(transaction, now, {
        event: 'enrolled',
        email: invitation.email,
        keyId: key.id,
        ip,
        detail: { name, model: key.model, aaguid: key.aaguid, machine: enrolment.machine },
      });
      return { email: invitation.email, key: { name, model: key.model } };
    });
  });
}

/** Does a step of an enrolment; where it is refused, the audit table tells of it, outside of the transaction that it undid. */
async function auditRefusal<Result>(
  context: Context,
  email: string,
  keyId: string,
  ip: string,
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Problem) {
      const { problem } = error;
      await countRefusal(context.store, context.now(), { event: 'enrolment-refused', problem, email, keyId, ip });
    }
    throw error;
  }
}

async function findEnrolment(context: Context, ticket: string, page: string) {
  const row = await context.store
    .selectFrom('enrolments')
    .innerJoin('invitations', 'invitations.id', 'enrolments.invitation_id')
    .where('enrolments.ticket_hash', '=', hash(ticket))
    .where('enrolments.key_id', 'is', null)
    .where('enrolments.expires_at', '>', context.now())
    .where('invitations.used_at', 'is', null)
    .where('invitations.expires_at', '>', context.now())
    .selectAll('enrolments')
    .select('invitations.email as email')
    .executeTakeFirst();
  if (row === undefined) throw invitationRefused();
  if (row.browser_hash !== hash(page)) throw otherBrowser();
  if (row.answer === 'no') {
    throw new Problem(
      410,
      'interaction-over',
      'The terminal said that this is not its page',
      'No key was enrolled, and the invitation is still good. Run `vouch enroll` again.',
    );
  }
  return row;
}

/** An enrolment whose page the terminal has agreed to: nothing is asked of a key before, and no key is taken. */
async function findApproved(context: Context, ticket: string, page: string) {
  const enrolment = await findEnrolment(context, ticket, page);
  if (enrolment.answer === 'yes') return enrolment;
  throw new Problem(
    403,
    'approval-needed',
    'Your terminal has not agreed yet',
    'Say there whether this page shows the same words.',
  );
}

function otherBrowser(): Problem {
  return new Problem(
    403,
    'other-browser',
    'Another browser opened this page first',
    'Your terminal asks about words that you cannot see here: answer no. Then run `vouch enroll` again.',
  );
}

function findPerson(store: Store, email: string) {
  return store.selectFrom('people').selectAll().where('email', '=', email).executeTakeFirst();
}

async function keysOf(store: Store, email: string): Promise<{ id: string; transports: string[] }[]> {
  const rows = await store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .where('keys.removed_at', 'is', null)
    .select(['keys.id', 'keys.transports'])
    .execute();
  return rows.map((row) => ({ id: row.id, transports: JSON.parse(row.transports) as string[] }));
}

/** Whoever holds an invitation for a person who has a key may not add another without a touch of that one. */
function checkConfirmed(keys: { id: string }[], confirmedKeyId: string | null): void {
  if (keys.length === 0 || keys.some((key) => key.id === confirmedKeyId)) return;
  throw new Problem(
    403,
    'confirmation-needed',
    'You have a key already: it must agree first',
    'Touch the key that you have enrolled, then the new one.',
  );
}

async function findOrMakePerson(
  store: Store,
  invitation: { email: string; admin: number },
  userHandle: string,
  now: number,
): Promise<string> {
  const person = await findPerson(store, invitation.email);
  if (person !== undefined) {
    if (person.disabled_at !== null) throw invitationRefused();
    // An invitation can raise somebody to administrator, never the other way round.
    if (invitation.admin === 1) {
      await store.updateTable('people').set({ admin: 1 }).where('id', '=', person.id).execute();
    }
    return person.id;
  }
  const id = randomUUID();
  await store
    .insertInto('people')
    .values({
      id,
      email: invitation.email,
      user_handle: userHandle,
      admin: invitation.admin,
      created_at: now,
      disabled_at: null,
    })
    .execute();
  return id;
}

async function nameFor(store: Store, personId: string, wanted: string | null, key: NewKey): Promise<string> {
  const taken = await store.selectFrom('keys').select('name').where('person_id', '=', personId).execute();
  const names = new Set(taken.map((row) => row.name));
  const base = wanted ?? key.model ?? 'Security key';
  let name = base;
  for (let count = 2; names.has(name); count += 1) name = `${base} ${count}`;
  return name;
}

async function insertKey(store: Store, personId: string, name: string, key: NewKey, now: number): Promise<void> {
  const inserted = await store
    .insertInto('keys')
    .values({
      id: key.id,
      person_id: personId,
      name,
      model: key.model,
      aaguid: key.aaguid,
      public_key: key.publicKey,
      counter: key.counter,
      transports: JSON.stringify(key.transports),
      created_at: now,
      last_used_at: null,
      removed_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  // WebAuthn, section 7.1, step 26: a credential ID belongs to one account.
  if (inserted === undefined) {
    throw new Problem(403, 'key-refused', 'This key is enrolled already', 'Use another key.');
  }
}

function invitationRefused(): Problem {
  return new Problem(
    403,
    'invitation-refused',
    'This invitation cannot be used',
    'Check the code and try again. If it is right, it is used up or older than 72 hours: ask your administrator for a new one.',
  );
}
