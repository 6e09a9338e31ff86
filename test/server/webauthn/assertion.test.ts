import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acceptCounter, assertionOptions, verifyAssertion } from '../../../server/webauthn/assertion.ts';
import type { Purpose } from '../../../server/webauthn/challenges.ts';
import { verifierProblem } from '../../../server/webauthn/verifier-problem.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';
import { personRow } from '../rows.ts';
import { type Ceremony, SoftKey } from '../soft-key.ts';

let opened: FeatureContext;
let key: SoftKey;
beforeAll(async () => {
  opened = await openContext();
});
afterAll(() => opened.close());

const store = () => opened.context.store;

/** Alice with her key, as after an enrolment. */
beforeEach(async () => {
  key = new SoftKey('http://localhost:3000', { counts: false });
  key.userHandle = 'YWxpY2U';
  await store()
    .insertInto('people')
    .values(personRow('alice', 'alice@example.com', { user_handle: key.userHandle }))
    .execute();
  await addKey(key);
});
afterEach(async () => {
  await store().deleteFrom('keys').execute();
  await store().deleteFrom('people').execute();
});

async function addKey(added: SoftKey): Promise<void> {
  await store()
    .insertInto('keys')
    .values({
      id: added.id,
      person_id: 'alice',
      name: 'Blue one',
      model: null,
      aaguid: '00000000-0000-0000-0000-000000000000',
      public_key: added.publicKey,
      counter: 0,
      transports: '[]',
      created_at: 1,
      last_used_at: null,
      removed_at: null,
    })
    .execute();
}

const keyRow = () =>
  store().selectFrom('keys').select(['counter', 'last_used_at']).where('id', '=', key.id).executeTakeFirst();

async function touch(how: Ceremony = {}, purpose: Purpose = 'sign-in') {
  const options = await assertionOptions(opened.context, purpose, 'b');
  return verifyAssertion(opened.context, purpose, 'b', key.get(options, how));
}

describe('the options of an assertion', () => {
  test('ask for user verification by any key, within 5 minutes', async () => {
    expect(await assertionOptions(opened.context, 'sign-in', 'b')).toEqual({
      rpId: 'localhost',
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      timeout: 300_000,
      userVerification: 'required',
      hints: ['security-key'],
    });
  });

  test('name the keys that may answer', async () => {
    const keys = [{ id: key.id, transports: ['usb'] }];
    expect(await assertionOptions(opened.context, 'confirm-enrolment', 'b', keys)).toMatchObject({
      allowCredentials: [{ id: key.id, transports: ['usb'], type: 'public-key' }],
    });
  });

  test('are for one purpose and one browser', async () => {
    const options = await assertionOptions(opened.context, 'sign-in', 'b');
    const answer = key.get(options);
    for (const [purpose, binding] of [
      ['sign-in', 'c'],
      ['confirm-enrolment', 'b'],
    ] as const) {
      const refused = verifyAssertion(opened.context, purpose, binding, answer);
      await expect(refused).rejects.toMatchObject({ kind: 'challenge-used' });
    }
    await verifyAssertion(opened.context, 'sign-in', 'b', answer);
  });
});

describe('an assertion', () => {
  test('returns whose key it was, and changes nothing yet', async () => {
    expect(await touch({ counter: 7 })).toEqual({
      keyId: key.id,
      keyName: 'Blue one',
      personId: 'alice',
      email: 'alice@example.com',
      counter: 7,
    });
    expect(await keyRow()).toEqual({ counter: 0, last_used_at: null });
  });

  const wrong: [string, Ceremony, string, RegExp][] = [
    ['of another origin', { origin: 'http://localhost:3001' }, 'assertion-refused', /origin/],
    ['for another RP ID', { rpId: 'evil.example' }, 'assertion-refused', /RP ID/],
    ['of the type of a registration', { type: 'webauthn.create' }, 'assertion-refused', /type/],
    ['without user presence', { userPresent: false }, 'assertion-refused', /presen/],
    ['without user verification', { userVerified: false }, 'user-not-verified', /User verification/],
    ['with a bad signature', { badSignature: true }, 'assertion-refused', /signature is not/],
    ['of a key that can be copied', { backupEligible: true }, 'assertion-refused', /eligible for backup/],
    ['from a frame', { crossOrigin: true }, 'assertion-refused', /frame/],
    ['of another user', { userHandle: 'Ym9i' }, 'assertion-refused', /user handle/],
    ['of no user', { userHandle: null }, 'assertion-refused', /user handle/],
    ['of an unknown key', { credentialId: 'B'.repeat(43) }, 'unknown-key', /not enrolled/],
  ];
  for (const [name, how, problem, reason] of wrong) {
    test(`${name} is refused`, async () => {
      const reasonText = { asymmetricMatch: (text: string) => reason.test(text) };
      await expect(touch(how)).rejects.toMatchObject({ category: 'refused', kind: problem, reason: reasonText });
      await touch();
    });
  }

  test('that confirms an enrolment may leave out its user, as the key was named, but not name a wrong one', async () => {
    await touch({ userHandle: null }, 'confirm-enrolment');
    await expect(touch({ userHandle: 'Ym9i' }, 'confirm-enrolment')).rejects.toMatchObject({
      kind: 'assertion-refused',
    });
  });

  test('of a removed key is one of an unknown key; a person who is shut out learns that', async () => {
    await store().updateTable('keys').set({ removed_at: 1 }).execute();
    await expect(touch()).rejects.toMatchObject({ kind: 'unknown-key' });
    await store().updateTable('keys').set({ removed_at: null }).execute();
    await touch();
    await store().updateTable('people').set({ disabled_at: 1 }).execute();
    await expect(touch()).rejects.toMatchObject({ kind: 'person-shut-out', what: expect.stringMatching(/disabled$/) });
    await store().updateTable('people').set({ disabled_at: null, ends_at: 1 }).execute();
    await expect(touch()).rejects.toMatchObject({ kind: 'person-shut-out', what: expect.stringMatching(/ended$/) });
    await store().updateTable('people').set({ ends_at: null }).execute();
  });

  test('uses its challenge up, whatever is wrong with it', async () => {
    for (const how of [{ badSignature: true }, { credentialId: 'B'.repeat(43) }, { crossOrigin: true }]) {
      const options = await assertionOptions(opened.context, 'sign-in', 'b');
      await expect(verifyAssertion(opened.context, 'sign-in', 'b', key.get(options, how))).rejects.toThrow();
      await expect(verifyAssertion(opened.context, 'sign-in', 'b', key.get(options))).rejects.toMatchObject({
        kind: 'challenge-used',
      });
    }
  });
});

describe('a signature counter', () => {
  const accept = (counter: number, id = key.id) =>
    acceptCounter(
      store(),
      { keyId: id, keyName: 'Blue one', personId: 'alice', email: 'alice@example.com', counter },
      NOW,
    );
  const back = { category: 'refused', kind: 'counter-went-back' };

  test('must grow, and is stored with the time', async () => {
    const other = new SoftKey('http://localhost:3000');
    await addKey(other);
    await accept(1);
    expect(await keyRow()).toEqual({ counter: 1, last_used_at: NOW });
    await accept(900);
    for (const counter of [900, 899, 1, 0]) await expect(accept(counter)).rejects.toMatchObject(back);
    expect(await keyRow()).toEqual({ counter: 900, last_used_at: NOW });
    await accept(901);
    const row = await store().selectFrom('keys').select('counter').where('id', '=', other.id).executeTakeFirst();
    expect(row?.counter).toBe(0);
  });

  test('of a key that does not count stays at 0', async () => {
    await accept(0);
    await accept(0);
    expect(await keyRow()).toEqual({ counter: 0, last_used_at: NOW });
  });

  test('of the same value is accepted from one of two at the same moment', async () => {
    const both = await Promise.allSettled([accept(5), accept(5)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('of a key that has been removed meanwhile, whose person was disabled, or that is unknown, is not accepted', async () => {
    const unknown = { category: 'refused', kind: 'unknown-key' };
    await expect(accept(1, 'nobody')).rejects.toMatchObject(unknown);
    await store().updateTable('people').set({ disabled_at: 1 }).execute();
    await expect(accept(1)).rejects.toMatchObject(unknown);
    await store().updateTable('people').set({ disabled_at: null }).execute();
    await store().updateTable('keys').set({ removed_at: 1 }).execute();
    await expect(accept(1)).rejects.toMatchObject(unknown);
    expect(await keyRow()).toMatchObject({ counter: 0 });
  });
});

test('a refusal asks the person to set a PIN if none is set, and otherwise keeps the verifier’s words for the log', async () => {
  await expect(touch({ userVerified: false })).rejects.toMatchObject({
    category: 'refused',
    kind: 'user-not-verified',
    reason: expect.stringContaining('required'),
    fix: expect.stringContaining('PIN'),
  });
  const other = verifierProblem(new Error('of the verifier'), 'key-refused', 'Try it.');
  expect(other).toMatchObject({ category: 'refused', kind: 'key-refused', fix: 'Try it.', reason: 'of the verifier' });
  expect(JSON.stringify(other)).not.toContain('of the verifier');
});
