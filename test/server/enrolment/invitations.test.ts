import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOpenInvitation, invite, useInvitation } from '../../../server/enrolment/invitations.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';

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

async function newInvitation(email = newEmail(), now = NOW) {
  const invitation = await invite(store(), now, { email }, 'cli:root');
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
    const second = await invite(store(), NOW, { email: ` ${email.toUpperCase()} `, role: 'owner' }, 'cli:root');
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
    await invite(store(), NOW, { email }, 'cli:root');
    await invite(store(), NOW, { email, role: 'owner', replaceKeys: true, endsAt }, 'owner@example.com');
    const rows = await store().selectFrom('audit').selectAll().where('subject', '=', email).orderBy('id').execute();
    const expiresAt = (hours: number) => NOW + hours * 3_600_000;
    expect(rows.map(({ actor, event, detail }) => ({ actor, event, detail: JSON.parse(detail) as unknown }))).toEqual([
      {
        actor: 'cli:root',
        event: 'invited',
        detail: { role: 'member', replaceKeys: false, endsAt: null, expiresAt: expiresAt(72) },
      },
      {
        actor: 'owner@example.com',
        event: 'invited',
        detail: { role: 'owner', replaceKeys: true, endsAt, expiresAt: expiresAt(24) },
      },
    ]);
  });

  test('is not made for a bad address', async () => {
    await expect(invite(store(), NOW, { email: 'alice' }, 'cli:root')).rejects.toMatchObject({
      kind: 'email-refused',
      category: 'usage',
    });
    expect(await rowsOf('alice')).toEqual([]);
  });
});
