import { randomUUID } from 'node:crypto';
import { type AuditEntry, auditAll, type By } from '../audit/audit.ts';
import { normalizeEmail } from '../people/email.ts';
import { isOpen } from '../people/open-invitations.ts';
import { Problem } from '../problem/problem.ts';
import type { PersonRole } from '../store/schema.ts';
import { isShutOut } from '../store/shut-out.ts';
import type { Store, StoreTransaction } from '../store/store.ts';
import { hashCode, makeCode } from './code.ts';
import {
  endDateOver,
  isHereAlready,
  keepsRole,
  namedTwice,
  nobodyInvited,
  nobodyToRecover,
  shutOutPerson,
} from './problems.ts';

/** How long an invitation is good for, in milliseconds: one that makes its holder somebody who is here is worth more to a thief. */
const LIFETIME_MS = { ordinary: 72 * 3600 * 1000, recovers: 24 * 3600 * 1000 };

/** How many addresses one statement names. */
const BATCH = 500;

/** Whom to invite, and to what. */
export interface InvitationRequest {
  email: string;
  role?: PersonRole;
  /** Whether the new key takes the place of all others. */
  replaceKeys?: boolean;
  /** The end date that the person gets, in milliseconds since the epoch. */
  endsAt?: number | null;
  /** How long it is good for, in milliseconds, if not as long as others. */
  lasts?: number;
  /** The line of the file that asks for it, for the error. */
  line?: number;
}

/** An invitation that was made. Times are milliseconds since the epoch. */
export interface Invitation {
  id: string;
  email: string;
  /** The one-time secret. It is shown once and stored as a hash. */
  code: string;
  role: PersonRole;
  replaceKeys: boolean;
  /** The person's keys: one of them must confirm the new one, or all are replaced. None for somebody new. */
  keys: number;
  /** Whether the person is here already. Without keys they have none that could confirm, so the code alone is enough. */
  isHere: boolean;
  /** Whether an open invitation for the address is void now. */
  voids: boolean;
  endsAt: number | null;
  expiresAt: number;
}

/**
 * Makes invitations, and voids those that are open for the same addresses. In one transaction: all of them, or none.
 *
 * An ordinary invitation is for a first key, or for a further one, which one of the person's keys must confirm. One that replaces keys
 * is for somebody who has lost theirs, or whose last one was removed. It is made only for people who are here: a mistyped address
 * recovers nobody.
 *
 * @param now milliseconds since the epoch
 * @param by who invites
 * @throws Problem `email-refused` when AWS does not take an address as a session name, `person-shut-out`, `option-refused`, or
 * `list-refused` when a longer list has such errors
 */
export function inviteAll(
  store: Store,
  now: number,
  requests: readonly InvitationRequest[],
  by: By,
): Promise<Invitation[]> {
  return store.transaction().execute((transaction) => inviteWithin(transaction, now, requests, by));
}

/** The same for one address. */
export async function invite(store: Store, now: number, request: InvitationRequest, by: By): Promise<Invitation> {
  const [invitation] = await inviteAll(store, now, [request], by);
  return invitation as Invitation;
}

/** The same within a transaction. */
export async function inviteWithin(
  transaction: StoreTransaction,
  now: number,
  requests: readonly InvitationRequest[],
  by: By,
): Promise<Invitation[]> {
  const people = await findInvited(transaction, requests);
  const refused: { problem: Problem; line: number | undefined }[] = [];
  const made = new Map<string, Invitation>();
  for (const request of requests) {
    try {
      const invitation = prepare(request, people, now);
      if (made.has(invitation.email)) throw namedTwice(invitation.email);
      made.set(invitation.email, invitation);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      refused.push({ problem, line: request.line });
    }
  }
  const [first] = refused;
  if (first !== undefined) {
    throw requests.length === 1 && first.line === undefined ? first.problem : nobodyInvited(refused);
  }
  const invitations = [...made.values()];
  const replaced = await voidOpen(transaction, now, [...made.keys()]);
  for (const invitation of invitations) invitation.voids = replaced.has(invitation.email);
  await store(transaction, now, invitations, by);
  return invitations;
}

interface Invited {
  disabled_at: number | null;
  ends_at: number | null;
  keys: number;
}

/** The people among the invited, by address. */
async function findInvited(
  transaction: StoreTransaction,
  requests: readonly InvitationRequest[],
): Promise<Map<string, Invited>> {
  const found = new Map<string, Invited>();
  const emails = requests.map(({ email }) => email.trim().toLowerCase());
  for (const batch of batches(emails)) {
    const rows = await transaction
      .selectFrom('people')
      .where('email', 'in', batch)
      .select((is) => [
        'email',
        'disabled_at',
        'ends_at',
        is
          .selectFrom('keys')
          .whereRef('keys.person_id', '=', 'people.id')
          .where('keys.removed_at', 'is', null)
          .select((keys) => keys.fn.countAll<number>().as('count'))
          .as('keys'),
      ])
      .execute();
    for (const { email, keys, ...person } of rows) found.set(email, { ...person, keys: Number(keys) });
  }
  return found;
}

/** @throws Problem when this invitation cannot be made */
function prepare(request: InvitationRequest, people: Map<string, Invited>, now: number): Invitation {
  const email = normalizeEmail(request.email);
  const { role = 'member', replaceKeys = false, endsAt = null } = request;
  const person = people.get(email);
  const isHere = person !== undefined;
  const keys = person?.keys ?? 0;
  if (person !== undefined && isShutOut(person, now)) throw shutOutPerson(email, person);
  if (replaceKeys && person === undefined) throw nobodyToRecover(email);
  if (replaceKeys && role === 'owner') throw keepsRole(email);
  // Otherwise anybody who may invite could lift an end date.
  if (endsAt !== null && person !== undefined) throw isHereAlready(email);
  if (endsAt !== null && endsAt <= now) throw endDateOver(email);
  const recovers = replaceKeys || (isHere && keys === 0);
  const { lasts = recovers ? LIFETIME_MS.recovers : LIFETIME_MS.ordinary } = request;
  const expiresAt = Math.min(now + lasts, endsAt ?? Number.POSITIVE_INFINITY);
  return {
    id: randomUUID(),
    email,
    code: makeCode(),
    role,
    replaceKeys,
    keys,
    isHere,
    voids: false,
    endsAt,
    expiresAt,
  };
}

/** Voids the open invitations for these addresses. @returns the addresses that had one */
async function voidOpen(transaction: StoreTransaction, now: number, emails: readonly string[]): Promise<Set<string>> {
  const had = new Set<string>();
  for (const batch of batches(emails)) {
    const rows = await transaction
      .updateTable('invitations')
      .set({ revoked_at: now })
      .where('email', 'in', batch)
      .where(isOpen(now))
      .returning('email')
      .execute();
    for (const { email } of rows) had.add(email);
  }
  return had;
}

async function store(
  transaction: StoreTransaction,
  now: number,
  invitations: readonly Invitation[],
  by: By,
): Promise<void> {
  for (const batch of batches(invitations)) {
    const rows = batch.map(({ id, email, code, role, replaceKeys, endsAt, expiresAt }) => ({
      id,
      code_hash: hashCode(code),
      email,
      role,
      replace_keys: replaceKeys ? 1 : 0,
      ends_at: endsAt,
      invited_by: by.actor,
      created_at: now,
      expires_at: expiresAt,
      used_at: null,
      revoked_at: null,
    }));
    await transaction.insertInto('invitations').values(rows).execute();
  }
  await auditAll(
    transaction,
    now,
    invitations.flatMap(({ email, role, replaceKeys, endsAt, expiresAt, voids }): AuditEntry[] => {
      const detail = { role, replaceKeys, endsAt, expiresAt };
      const invited = { ...by, event: 'invited', subject: email, detail } as const;
      return voids ? [{ ...by, event: 'invitation-revoked', subject: email, reason: 'replaced' }, invited] : [invited];
    }),
  );
}

function batches<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / BATCH);
  return Array.from({ length: count }, (_, index) => items.slice(index * BATCH, (index + 1) * BATCH));
}
