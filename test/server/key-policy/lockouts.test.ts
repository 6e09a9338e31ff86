import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCertificate } from '../../../server/certificates/certificate.ts';
import { checkOwners } from '../../../server/key-policy/check-owners.ts';
import type { KeyPolicy } from '../../../server/key-policy/judge.ts';
import { findLockouts } from '../../../server/key-policy/lockouts.ts';
import type { Schema } from '../../../server/store/schema.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';
import { type Maker, makeMaker } from '../make-certificates.ts';
import { keyRow, personRow } from '../rows.ts';

const MODEL = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const OTHER = 'c5ef55ff-ad9a-4b9f-b580-adebafe026d0';

let maker: Maker;
let attestation: string;
beforeAll(async () => {
  maker = await makeMaker();
  const leaf = await maker.attest(MODEL);
  attestation = JSON.stringify({
    fmt: 'packed',
    x5c: [leaf.der, ...(leaf.chain ?? [])].map((der) => der.toString('base64')),
  });
});

let opened: FeatureContext;
beforeEach(async () => {
  opened = await openContext();
});
afterEach(() => opened.close());

const policy = (more: Partial<KeyPolicy> = {}): KeyPolicy => ({ ...opened.context.keyPolicy(), ...more });

/** Adds somebody with keys of these models. */
async function add(
  name: string,
  models: string[],
  person: Partial<Schema['people']> = {},
  key: Partial<Schema['keys']> = {},
) {
  const { store } = opened.context;
  await store
    .insertInto('people')
    .values(personRow(name, `${name}@example.com`, person))
    .execute();
  for (const [index, aaguid] of models.entries()) {
    const row = keyRow(`${name}-${index}`, name, { aaguid, created_at: NOW + index, ...key });
    await store.insertInto('keys').values(row).execute();
  }
}

const only = (...models: string[]) => policy({ allowed: new Set(models) });

describe('whom a policy would lock out', () => {
  test('is said by person and key, with the keys that are left', async () => {
    await add('carol', [MODEL]);
    await add('bob', [OTHER, MODEL]);
    await add('alice', [OTHER, OTHER], { role: 'owner' });
    const refusal = { kind: 'model-not-allowed' };
    const refused = (id: string) => ({ id, name: `name of ${id}`, model: 'YubiKey 5Ci', refusal });
    expect(await findLockouts(opened.context.store, only(MODEL), NOW)).toEqual({
      people: 3,
      keys: 5,
      affected: [
        { email: 'alice@example.com', role: 'owner', refused: [refused('alice-0'), refused('alice-1')], left: 0 },
        { email: 'bob@example.com', role: 'member', refused: [refused('bob-0')], left: 1 },
      ],
    });
    expect(await findLockouts(opened.context.store, policy(), NOW)).toEqual({ people: 3, keys: 5, affected: [] });
  });

  test('does not count people who are shut out anyway, or removed keys', async () => {
    await add('disabled', [OTHER], { disabled_at: 1 });
    await add('ended', [OTHER], { ends_at: NOW });
    await add('removed', [OTHER], {}, { removed_at: 1 });
    await add('keyless', []);
    await add('leaving', [OTHER], { ends_at: NOW + 1 });
    const { people, affected } = await findLockouts(opened.context.store, only(MODEL), NOW);
    expect([people, affected.map(({ email }) => email)]).toEqual([1, ['leaving@example.com']]);
  });

  test('depends on what each key proved when it was enrolled', async () => {
    await add('proven', [MODEL], {}, { attestation });
    await add('early', [MODEL], {}, { attestation, created_at: Date.parse('2019-01-01') });
    await add('liar', [OTHER], {}, { attestation });
    await add('silent', [MODEL]);
    const strict = policy({ mustProve: true, roots: [readCertificate(maker.root.der)] });
    const { affected } = await findLockouts(opened.context.store, strict, NOW);
    expect(Object.fromEntries(affected.map(({ email, refused }) => [email, refused[0]?.refusal.kind]))).toEqual({
      'early@example.com': 'chain-untrusted',
      'liar@example.com': 'chain-untrusted',
      'silent@example.com': 'not-proven',
    });
  });
});

describe('a policy that locks out every owner who has a key', () => {
  const check = (allowed: KeyPolicy) => checkOwners(opened.context.store, allowed, NOW);

  test('is refused, with their names', async () => {
    await add('alice', [OTHER, OTHER], { role: 'owner' });
    await add('zoe', [OTHER], { role: 'owner' });
    await add('bob', [MODEL]);
    await add('keyless', [], { role: 'owner' });
    await add('disabled', [MODEL], { role: 'owner', disabled_at: 1 });
    await expect(check(only(MODEL))).rejects.toMatchObject({
      kind: 'policy-refused',
      category: 'refused',
      what: expect.stringContaining(
        'owner who has a key: alice@example.com (model-not-allowed), zoe@example.com (model-not-allowed).',
      ),
    });
  });

  test('is not one that leaves an owner, or has no owner to lock out', async () => {
    await check(only(MODEL));
    await add('bob', [OTHER]);
    await check(only(MODEL));
    await add('alice', [OTHER, MODEL], { role: 'owner' });
    await add('zoe', [OTHER], { role: 'owner' });
    await check(only(MODEL));
  });
});
