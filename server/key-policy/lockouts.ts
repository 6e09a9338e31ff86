import type { PersonRole } from '../store/schema.ts';
import { notShutOut } from '../store/shut-out.ts';
import type { Store } from '../store/store.ts';
import type { KeyPolicy, KeyRefusal } from './judge.ts';
import { judgeStoredKey } from './stored-key.ts';

/** A key that a policy would refuse. */
export interface RefusedKey {
  /** WebAuthn's credential ID, base64url. */
  id: string;
  name: string;
  model: string | null;
  refusal: KeyRefusal;
}

/** A person with at least one key that a policy would refuse. */
export interface AffectedPerson {
  email: string;
  role: PersonRole;
  refused: RefusedKey[];
  /** How many keys they would still have. With none, they are locked out. */
  left: number;
}

export interface Lockouts {
  /** How many people have a key and are not shut out otherwise, and how many keys they have. */
  people: number;
  keys: number;
  /** By address. */
  affected: AffectedPerson[];
}

/**
 * Judges the keys of everybody who may sign in.
 *
 * @param now milliseconds since the epoch
 * @param role only people of this role
 */
export async function findLockouts(store: Store, policy: KeyPolicy, now: number, role?: PersonRole): Promise<Lockouts> {
  let query = store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('keys.removed_at', 'is', null)
    .where(notShutOut(now))
    .select([
      'people.email',
      'people.role',
      'keys.id',
      'keys.name',
      'keys.aaguid',
      'keys.attestation',
      'keys.created_at',
    ])
    .orderBy('people.email')
    .orderBy('keys.created_at');
  if (role !== undefined) query = query.where('people.role', '=', role);
  const rows = await query.execute();
  const people = Map.groupBy(rows, ({ email }) => email);
  const affected: AffectedPerson[] = [];
  for (const [email, keys] of people) {
    const refused = keys.flatMap((key): RefusedKey[] => {
      const { model, refusal } = judgeStoredKey(policy, key, now);
      return refusal === undefined ? [] : [{ id: key.id, name: key.name, model, refusal }];
    });
    const [{ role: itsRole = 'member' } = {}] = keys;
    if (refused.length > 0) affected.push({ email, role: itsRole, refused, left: keys.length - refused.length });
  }
  return { people: people.size, keys: rows.length, affected };
}
