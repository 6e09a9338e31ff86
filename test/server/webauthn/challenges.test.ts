import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueChallenge, useChallenge } from '../../../server/webauthn/challenges.ts';
import { useClientData } from '../../../server/webauthn/client-data.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';

let opened: FeatureContext;
beforeAll(async () => {
  opened = await openContext();
});
afterAll(() => opened.close());

const MINUTES_5 = 300_000;
const store = () => opened.context.store;
const rows = () => store().selectFrom('challenges').selectAll().execute();

describe('a challenge', () => {
  test('has 256 bits, is different each time, and is not in the database', async () => {
    const challenges = [
      await issueChallenge(store(), NOW, 'enrol', 'b'),
      await issueChallenge(store(), NOW, 'enrol', 'b'),
    ];
    for (const challenge of challenges) {
      expect(challenge).toMatch(/^[\w-]{43}$/);
      expect(JSON.stringify(await rows())).not.toContain(challenge);
    }
    expect(challenges[0]).not.toBe(challenges[1]);
  });

  test('is good for 5 minutes, and not a millisecond more', async () => {
    const old = await issueChallenge(store(), NOW, 'sign-in', 'b');
    expect(await useChallenge(store(), NOW + MINUTES_5, 'sign-in', 'b', old)).toBe(false);
    // That late try has not used it up.
    expect(await useChallenge(store(), NOW + MINUTES_5 - 1, 'sign-in', 'b', old)).toBe(true);
  });

  test('is good once, for its purpose and its browser alone', async () => {
    const challenge = await issueChallenge(store(), NOW, 'sign-in', 'hers');
    const other = await issueChallenge(store(), NOW, 'sign-in', 'hers');
    expect(await useChallenge(store(), NOW, 'confirm-enrolment', 'hers', challenge)).toBe(false);
    expect(await useChallenge(store(), NOW, 'enrol', 'hers', challenge)).toBe(false);
    expect(await useChallenge(store(), NOW, 'sign-in', 'his', challenge)).toBe(false);
    expect(await useChallenge(store(), NOW, 'sign-in', 'hers', 'A'.repeat(43))).toBe(false);
    expect(await useChallenge(store(), NOW, 'sign-in', 'hers', challenge)).toBe(true);
    expect(await useChallenge(store(), NOW, 'sign-in', 'hers', challenge)).toBe(false);
    // No other challenge was used up.
    expect(await useChallenge(store(), NOW, 'sign-in', 'hers', other)).toBe(true);
  });

  test('is good for one of many uses at the same moment', async () => {
    const challenge = await issueChallenge(store(), NOW, 'sign-in', 'b');
    const uses = await Promise.all(
      Array.from({ length: 10 }, () => useChallenge(store(), NOW, 'sign-in', 'b', challenge)),
    );
    expect(uses.filter((used) => used)).toHaveLength(1);
  });
});

describe('client data', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const use = (clientDataJSON: unknown) => useClientData(opened.context, 'sign-in', 'b', clientDataJSON);
  const fresh = () => issueChallenge(store(), NOW, 'sign-in', 'b');

  const framed: [string, Record<string, unknown>, boolean][] = [
    ['that says it is from no frame', { crossOrigin: false }, false],
    ['that says nothing about a frame, as older browsers do', {}, false],
    ['that says it is from a frame', { crossOrigin: true }, true],
    ['that names the site around it, and nothing else', { topOrigin: 'https://evil.example' }, true],
    [
      'that names the site around it, but says it is from no frame',
      { crossOrigin: false, topOrigin: 'https://evil.example' },
      true,
    ],
    ['that names no site around it, but has the field', { topOrigin: '' }, true],
    ['that says null about a frame', { crossOrigin: null }, true],
    ['that says 0 about a frame', { crossOrigin: 0 }, true],
    ['that says null about the site around it', { topOrigin: null }, true],
  ];
  for (const [name, more, expected] of framed) {
    test(`${name}: ${expected ? '' : 'not '}framed`, async () => {
      const challenge = await fresh();
      expect(await use(encode({ challenge, ...more }))).toEqual({ challenge, framed: expected });
      // The challenge was good for one try.
      await expect(use(encode({ challenge, ...more }))).rejects.toMatchObject({ kind: 'challenge-used' });
    });
  }

  test('without one of our challenges is refused, and the error repeats nothing of it', async () => {
    const challenge = await fresh();
    const wrong: unknown[] = [
      undefined,
      null,
      7,
      '',
      '!',
      encode(null),
      encode('text'),
      encode([challenge]),
      encode({}),
      encode({ challenge: [challenge] }),
      encode({ challenge: { toString: challenge } }),
      encode({ challenge: `${challenge}A` }),
      Buffer.from(`{"challenge":"${challenge}"`).toString('base64url'),
      JSON.stringify({ challenge }),
    ];
    for (const clientDataJSON of wrong) {
      const refused = await use(clientDataJSON).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        category: 'refused',
        kind: 'challenge-used',
        // For the log. The person sees less.
        reason: expect.stringContaining('challenge'),
      });
      expect(JSON.stringify([refused, (refused as { reason: string }).reason])).not.toContain(challenge);
    }
    expect(await use(encode({ challenge }))).toEqual({ challenge, framed: false });
  });
});
