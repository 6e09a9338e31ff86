import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOpenInvitation, useInvitation } from '../../../server/invitations/invitations.ts';
import { invite, inviteAll } from '../../../server/invitations/invite.ts';
import type { Schema } from '../../../server/store/schema.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';
import { keyRow, personRow } from '../rows.ts';

const HOURS_72 = 72 * 3600_000;

let opened: FeatureContext;
beforeAll(async () => {
  opened = await openContext();
});
afterAll(() => opened.close());

const store = () => opened.context.store;
const find = (code: string, now = NOW) => findOpenInvitation(store(), code, now);
const rowsOf = (email: string) =>
  store().selectFrom('invitations').selectAll().where('email', '=', email).orderBy('created_at').execute();

let count = 0;
function newEmail(): string {
  count += 1;
  return `person${count}@example.com`;
}

/** A person with that many keys. Their ID is their address. */
async function newPerson(keys: number, state: Partial<Schema['people']> = {}, email = newEmail()) {
  await store()
    .insertInto('people')
    .values(personRow(email, email, state))
    .execute();
  const rows = Array.from({ length: keys }, (_, index) => keyRow(`key ${index} of ${email}`, email));
  if (rows.length > 0) await store().insertInto('keys').values(rows).execute();
  return { email };
}

async function newInvitation(email = newEmail(), now = NOW) {
  const invitation = await invite(store(), now, { email }, { actor: 'cli:root' });
  const [row] = (await rowsOf(email)).slice(-1);
  if (row === undefined) throw new Error('nothing was stored');
  return { ...invitation, id: row.id };
}

describe('a code', () => {
  test('has 130 bits: each of Crockford’s 32 characters in each of 26 places, in groups of six', async () => {
    const codes = await Promise.all(Array.from({ length: 100 }, () => newInvitation()));
    const written = codes.map(({ code }) => code);
    for (const code of written) expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{6}-){4}[0-9A-HJKMNP-TV-Z]{2}$/);
    expect(new Set(written).size).toBe(100);
    const places = Array.from({ length: 26 }, (_, place) => written.map((code) => code.replaceAll('-', '')[place]));
    expect(new Set(places.flat())).toEqual(new Set('0123456789ABCDEFGHJKMNPQRSTVWXYZ'));
    for (const place of places) expect(new Set(place).size).toBeGreaterThan(16); // About 31 by chance.
  });

  test('is accepted as people type it', async () => {
    for (const [typed, written] of [
      ['O', '0'],
      ['o', '0'],
      ['I', '1'],
      ['i', '1'],
      ['L', '1'],
      ['l', '1'],
    ] as const) {
      const { code } = await invitationWith((each) => each.includes(written));
      expect(await find(code.replaceAll(written, typed))).toBeDefined();
    }
    const { code, email } = await newInvitation();
    const plain = code.replaceAll('-', '');
    const forms = [
      code,
      plain,
      code.toLowerCase(),
      `  ${code}\n`,
      code.replaceAll('-', ' - '),
      plain.replace(/./g, '$& '),
    ];
    for (const dash of '‐‑‒–—―﹣-') forms.push(code.replaceAll('-', dash));
    for (const form of forms) expect(await find(form), form).toMatchObject({ email });
  });

  test('is refused if a character is changed, added or left out', async () => {
    const { code } = await newInvitation();
    const wrong = [`${code}0`, `0${code}`, code.slice(1), code.slice(0, -1), code.replaceAll('-', '_'), '', '-'];
    wrong.push(`${code[0] === 'A' ? 'B' : 'A'}${code.slice(1)}`);
    for (const other of wrong) expect(await find(other), other).toBeUndefined();
  });

  test('is not in the database', async () => {
    const { code } = await newInvitation();
    const all = JSON.stringify([
      await store().selectFrom('invitations').selectAll().execute(),
      await store().selectFrom('audit').selectAll().execute(),
    ]);
    expect(all).not.toContain(code);
    expect(all).not.toContain(code.replaceAll('-', ''));
  });
});

/** Makes invitations until a code fits. */
async function invitationWith(fits: (code: string) => boolean) {
  for (;;) {
    const made = await newInvitation();
    if (fits(made.code)) return made;
  }
}

describe('an invitation', () => {
  test('is good for 72 hours, and not a millisecond more', async () => {
    const { code, id, expiresAt } = await newInvitation();
    expect(expiresAt).toBe(NOW + HOURS_72);
    expect(await find(code, NOW + HOURS_72 - 1)).toMatchObject({ id, expires_at: expiresAt });
    expect(await find(code, NOW + HOURS_72)).toBeUndefined();
    expect(await useInvitation(store(), id, NOW + HOURS_72)).toBeUndefined();
    expect(await useInvitation(store(), id, NOW + HOURS_72 - 1)).toBeDefined();
  });

  test('is used once, even by many at the same moment, and no other is used up with it', async () => {
    const { code, id } = await newInvitation();
    const other = await newInvitation();
    const uses = await Promise.all(Array.from({ length: 10 }, () => useInvitation(store(), id, NOW + 5)));
    const won = uses.filter((used) => used !== undefined);
    expect(won).toMatchObject([{ id, used_at: NOW + 5 }]);
    expect(await find(code)).toBeUndefined();
    expect(await find(other.code)).toBeDefined();
  });

  test('is void once there is a newer one for the address; other people’s and used ones stay as they were', async () => {
    const email = newEmail();
    const used = await newInvitation(email, NOW - 3000);
    await useInvitation(store(), used.id, NOW - 2500);
    const first = await newInvitation(email, NOW - 2000);
    const others = await newInvitation();
    const second = await invite(
      store(),
      NOW,
      { email: ` ${email.toUpperCase()} `, role: 'owner' },
      { actor: 'cli:root' },
    );
    expect(second.email).toBe(email);
    expect(await find(first.code)).toBeUndefined();
    expect(await useInvitation(store(), first.id, NOW)).toBeUndefined();
    expect(await find(second.code)).toMatchObject({ email, role: 'owner', created_at: NOW, used_at: null });
    expect(await find(others.code)).toMatchObject({ role: 'member' });
    expect((await rowsOf(email)).map((row) => [row.created_at, row.used_at, row.revoked_at])).toEqual([
      [NOW - 3000, NOW - 2500, null],
      [NOW - 2000, null, NOW],
      [NOW, null, null],
    ]);
  });

  test('that expired long ago does not become a revoked one', async () => {
    const email = newEmail();
    await newInvitation(email, NOW - 2 * HOURS_72);
    await newInvitation(email);
    expect((await rowsOf(email)).map((row) => row.revoked_at)).toEqual([null, null]);
  });

  test('is written to the audit table, with who made it and what it gives', async () => {
    const email = newEmail();
    const endsAt = NOW + 1;
    await invite(store(), NOW, { email }, { actor: 'cli:root' });
    await invite(store(), NOW, { email, role: 'owner', endsAt }, { actor: 'owner@example.com' });
    const rows = await store().selectFrom('audit').selectAll().where('subject', '=', email).orderBy('id').execute();
    expect(rows.map(({ actor, event, reason, detail }) => [actor, event, reason, JSON.parse(detail)])).toEqual([
      ['cli:root', 'invited', null, { role: 'member', replaceKeys: false, endsAt: null, expiresAt: NOW + HOURS_72 }],
      ['owner@example.com', 'invitation-revoked', 'replaced', {}],
      ['owner@example.com', 'invited', null, { role: 'owner', replaceKeys: false, endsAt, expiresAt: endsAt }],
    ]);
  });

  test('is not made for a bad address', async () => {
    await expect(invite(store(), NOW, { email: 'alice' }, { actor: 'cli:root' })).rejects.toMatchObject({
      kind: 'email-refused',
      category: 'usage',
    });
    expect(await rowsOf('alice')).toEqual([]);
  });

  const shutOut: [string, Partial<Schema['people']>, RegExp][] = [
    ['somebody who is disabled', { disabled_at: 1 }, /is disabled\.\n.*\n.*`vouch-server people enable /],
    [
      'somebody whose end date has come',
      { ends_at: NOW },
      /^The end date of .* has come\.\n.*\n.*`vouch-server people end-date .* DATE`/,
    ],
  ];
  for (const [whom, state, said] of shutOut) {
    test(`is not made for ${whom}, and says what to do`, async () => {
      const { email } = await newPerson(1, state);
      for (const replaceKeys of [false, true]) {
        const refused = expect(invite(store(), NOW, { email, replaceKeys }, { actor: 'cli:root' })).rejects;
        await refused.toMatchObject({ kind: 'person-shut-out', message: expect.stringMatching(said) });
      }
      expect(await rowsOf(email)).toEqual([]);
    });
  }

  test('gives an end date only to somebody new, and one that is to come', async () => {
    const { email } = await newPerson(1, { ends_at: NOW + 5 });
    const refused = { kind: 'option-refused' };
    await expect(invite(store(), NOW, { email, endsAt: NOW + 10 }, { actor: 'cli:root' })).rejects.toMatchObject(
      refused,
    );
    const other = newEmail();
    await expect(invite(store(), NOW, { email: other, endsAt: NOW }, { actor: 'cli:root' })).rejects.toMatchObject(
      refused,
    );
    expect([...(await rowsOf(email)), ...(await rowsOf(other))]).toEqual([]);
    const made = await invite(store(), NOW, { email: other, endsAt: NOW + 1 }, { actor: 'cli:root' });
    // It ends no later than the person.
    expect(made).toMatchObject({ endsAt: NOW + 1, expiresAt: NOW + 1 });
  });

  test('tells how many keys the person has, and whether it voids another', async () => {
    const email = newEmail();
    expect(await invite(store(), NOW, { email }, { actor: 'cli:root' })).toMatchObject({ keys: 0, voids: false });
    await newPerson(2, {}, email);
    await store()
      .insertInto('keys')
      .values(keyRow(`removed ${email}`, email, { removed_at: 1 }))
      .execute();
    const again = invite(store(), NOW, { email: ` ${email.toUpperCase()}` }, { actor: 'cli:root' });
    expect(await again).toMatchObject({ keys: 2, voids: true });
  });
});

test('an ordinary invitation for somebody whose keys are all removed is worth a recovery, so it lasts no longer', async () => {
  const { email } = await newPerson(0);
  const made = await invite(store(), NOW, { email }, { actor: 'cli:root' });
  expect(made).toMatchObject({ replaceKeys: false, keys: 0, isHere: true, expiresAt: NOW + 24 * 3600_000 });
  expect(await find(made.code, made.expiresAt)).toBeUndefined();
  expect(await newInvitation()).toMatchObject({ isHere: false, expiresAt: NOW + HOURS_72 });
});

describe('an invitation that replaces keys', () => {
  test('is good for 24 hours, and is an ordinary one to nobody', async () => {
    const { email } = await newPerson(1);
    const made = await invite(store(), NOW, { email, replaceKeys: true }, { actor: 'cli:root' });
    expect(made).toMatchObject({ replaceKeys: true, keys: 1, expiresAt: NOW + 24 * 3600_000 });
    expect(await find(made.code, made.expiresAt - 1)).toMatchObject({ email, replace_keys: 1 });
    expect(await find(made.code, made.expiresAt)).toBeUndefined();
  });

  test('is made for somebody whose last key was removed, but for no stranger', async () => {
    const { email } = await newPerson(0);
    await store()
      .insertInto('keys')
      .values(keyRow(`removed ${email}`, email, { removed_at: 1 }))
      .execute();
    const made = await invite(store(), NOW, { email, replaceKeys: true }, { actor: 'cli:root' });
    expect(made).toMatchObject({ replaceKeys: true, keys: 0, expiresAt: NOW + 24 * 3600_000 });
    const stranger = newEmail();
    await expect(
      invite(store(), NOW, { email: stranger, replaceKeys: true }, { actor: 'cli:root' }),
    ).rejects.toMatchObject({ kind: 'option-refused', message: expect.stringMatching(/^Nobody here has the address/) });
    expect(await rowsOf(stranger)).toEqual([]);
  });

  test('changes nobody’s role or end date', async () => {
    const { email } = await newPerson(1);
    for (const more of [{ role: 'owner' as const }, { endsAt: NOW + 1 }]) {
      const request = { email, replaceKeys: true, ...more };
      await expect(invite(store(), NOW, request, { actor: 'cli:root' })).rejects.toMatchObject({
        kind: 'option-refused',
      });
    }
    expect(await rowsOf(email)).toEqual([]);
  });

  test('voids an ordinary one, and is void once there is an ordinary one', async () => {
    const { email } = await newPerson(1);
    const ordinary = await invite(store(), NOW, { email }, { actor: 'cli:root' });
    const recovery = await invite(store(), NOW, { email, replaceKeys: true }, { actor: 'cli:root' });
    expect(await find(ordinary.code)).toBeUndefined();
    const further = await invite(store(), NOW, { email }, { actor: 'cli:root' });
    expect(await find(recovery.code)).toBeUndefined();
    expect(await find(further.code)).toMatchObject({ replace_keys: 0 });
  });
});

describe('a list of invitations', () => {
  test('is made as a whole, each with its own code', async () => {
    const emails = Array.from({ length: 1_201 }, newEmail);
    const { email: known } = await newPerson(1);
    const requests = [...emails, known].map((email) => ({ email }));
    const made = await inviteAll(store(), NOW, requests, { actor: 'cli:root' });
    expect(made.map(({ email }) => email)).toEqual([...emails, known]);
    expect(new Set(made.map(({ code }) => code)).size).toBe(1_202);
    expect(made.at(-1)).toMatchObject({ keys: 1, voids: false });
    expect(await find(made[700]?.code ?? '')).toMatchObject({ email: emails[700] });
    expect((await inviteAll(store(), NOW, requests, { actor: 'cli:root' })).every(({ voids }) => voids)).toBe(true);
    expect(await find(made[700]?.code ?? '')).toBeUndefined();
  });

  test('is not made at all if one is refused; each error names its line, 20 at most', async () => {
    const { email: disabled } = await newPerson(1, { disabled_at: 1 });
    const open = await newInvitation();
    const [first, last] = [newEmail(), newEmail()];
    const wrong = [first, 'alice', disabled, first.toUpperCase(), open.email, last];
    const requests = wrong.map((email, index) => ({ email, line: index + 2 }));
    await expect(inviteAll(store(), NOW, requests, { actor: 'cli:root' })).rejects.toMatchObject({
      kind: 'list-refused',
      category: 'usage',
      message: [
        'Nobody was invited, because the list has errors:',
        'Line 3: "alice" is not an e-mail address such as alice@example.com',
        `Line 4: ${disabled} is disabled. If that has changed, run \`vouch-server people enable ${disabled}\` first.`,
        `Line 5: ${first} is named twice: the second invitation would void the first. Name each address once.`,
        'Correct them, and run the command again.',
      ].join('\n  '),
    });
    for (const email of [first, last]) expect(await rowsOf(email)).toEqual([]);
    expect(await find(open.code)).toBeDefined();
    // On a command line there are no numbers of lines.
    const two = inviteAll(store(), NOW, [{ email: first }, { email: disabled }], { actor: 'cli:root' });
    await expect(two).rejects.toMatchObject({
      kind: 'list-refused',
      message: expect.stringContaining(`\n  ${disabled} is`),
    });
    expect(await rowsOf(first)).toEqual([]);
    const many = Array.from({ length: 30 }, () => ({ email: 'alice' }));
    await expect(inviteAll(store(), NOW, many, { actor: 'cli:root' })).rejects.toMatchObject({
      message: expect.stringMatching(/^([^\n]*\n){21} {2}and 10 more\n/),
    });
  });
});
