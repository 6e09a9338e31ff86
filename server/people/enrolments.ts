import { randomBytes, randomUUID } from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { audit } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem.ts';
import { hash, randomSecret } from '../secrets.ts';
import type { Store } from '../store/store.ts';
import { acceptCounter, assertionOptions, verifyAssertion } from '../webauthn/assertion.ts';
import { type NewKey, registrationOptions, verifyRegistration } from '../webauthn/registration.ts';
import { findOpenInvitation, useInvitation } from './invitations.ts';

/** How long an enrolment may take from its start, in milliseconds. */
const LIFETIME_MS = 15 * 60 * 1000;

export interface StartedEnrolment {
  /** In the page's URL: bound to the first browser that opens it, and good for nothing else. */
  ticket: string;
  /** A secret for the caller alone, to ask how it goes. */
  poll: string;
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
  request: { code: string; email?: string; client: string; machine: string | null; keyName: string | null },
  ip: string,
): Promise<StartedEnrolment> {
  const now = context.now();
  const invitation = await findOpenInvitation(context.store, request.code, now);
  // Who names an address must name the invited one; the answer is the same, so that it tells nothing.
  const foreign = request.email !== undefined && request.email.trim().toLowerCase() !== invitation?.email;
  if (invitation === undefined || foreign) {
    await audit(context.store, now, {
      event: 'enrolment-refused',
      email: invitation?.email ?? null,
      ip,
      detail: { reason: invitation === undefined ? 'no open invitation has this code' : 'for another address' },
    });
    throw invitationRefused();
  }
  const ticket = randomSecret();
  const poll = randomSecret();
  const expiresAt = Math.min(now + LIFETIME_MS, invitation.expires_at);
  await context.store
    .insertInto('enrolments')
    .values({
      ticket_hash: hash(ticket),
      poll_hash: hash(poll),
      invitation_id: invitation.id,
      browser_hash: null,
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
  return { ticket, poll, email: invitation.email, expiresAt };
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
      'enrolments.browser_hash as browser',
      'enrolments.expires_at as expiresAt',
      'keys.name as name',
      'keys.model as model',
    ])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.name !== null) return { state: 'done', email: row.email, key: { name: row.name, model: row.model } };
  if (row.expiresAt <= context.now()) return undefined;
  return { state: row.browser === null ? 'waiting' : 'opened', email: row.email };
}

/**
 * Binds an enrolment to the browser that opens it first (one atomic statement), or lets the same browser in again.
 *
 * @param browser the browser's secret from its cookie, or a new one
 * @throws Problem `invitation-refused` or `other-browser`
 */
export async function openEnrolment(context: Context, ticket: string, browser: string) {
  await context.store
    .updateTable('enrolments')
    .set({ browser_hash: hash(browser) })
    .where('ticket_hash', '=', hash(ticket))
    .where('browser_hash', 'is', null)
    .where('expires_at', '>', context.now())
    .execute();
  const enrolment = await findEnrolment(context, ticket, browser);
  const keys = await keysOf(context.store, enrolment.email);
  return {
    email: enrolment.email,
    client: enrolment.client,
    machine: enrolment.machine,
    requestedAt: enrolment.created_at,
    expiresAt: enrolment.expires_at,
    needsConfirmation: keys.length > 0 && enrolment.confirmed_key_id === null,
  };
}

/** Options for the touch of a key that the person has, before another may be added. */
export async function confirmationOptions(context: Context, ticket: string, browser: string) {
  const enrolment = await findEnrolment(context, ticket, browser);
  const keys = await keysOf(context.store, enrolment.email);
  if (keys.length === 0) throw new Problem(409, 'bad-request', 'There is no key to confirm with', 'Reload the page.');
  return assertionOptions(context, 'confirm-enrolment', enrolment.ticket_hash, keys);
}

/**
 * Takes the touch of a key that the person has.
 *
 * @throws Problem when the assertion is refused, or the key is another person's
 */
export async function confirmEnrolment(
  context: Context,
  ticket: string,
  browser: string,
  response: AuthenticationResponseJSON,
  ip: string,
): Promise<void> {
  const enrolment = await findEnrolment(context, ticket, browser);
  await auditRefusal(context, enrolment.email, response.id, ip, async () => {
    const key = await verifyAssertion(context, 'confirm-enrolment', enrolment.ticket_hash, response);
    if (key.email !== enrolment.email) {
      throw new Problem(
        403,
        'unknown-key',
        'This key is another person’s',
        'Use a key that you have enrolled yourself.',
      );
    }
    await context.store.transaction().execute(async (transaction) => {
      await acceptCounter(transaction, key, context.now());
      await transaction
        .updateTable('enrolments')
        .set({ confirmed_key_id: key.keyId })
        .where('ticket_hash', '=', enrolment.ticket_hash)
        .execute();
    });
  });
}

/** Options for the new key. */
export async function newKeyOptions(context: Context, ticket: string, browser: string) {
  const enrolment = await findEnrolment(context, ticket, browser);
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
  browser: string,
  response: RegistrationResponseJSON,
  ip: string,
): Promise<{ email: string; key: { name: string; model: string | null } }> {
  const enrolment = await findEnrolment(context, ticket, browser);
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
      await transaction
        .updateTable('enrolments')
        .set({ key_id: key.id })
        .where('ticket_hash', '=', enrolment.ticket_hash)
        .execute();
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
      const detail = { problem: error.problem, reason: error.reason, keyId };
      await audit(context.store, context.now(), { event: 'enrolment-refused', email, ip, detail });
    }
    throw error;
  }
}

async function findEnrolment(context: Context, ticket: string, browser: string) {
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
  if (row.browser_hash !== hash(browser)) {
    throw new Problem(
      403,
      'other-browser',
      'This page was opened in another browser first',
      'Go on there, or run `vouch enroll` again.',
    );
  }
  return row;
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
