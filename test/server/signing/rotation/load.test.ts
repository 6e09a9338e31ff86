import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DatabaseKeyRing } from '../../../../server/signing/key-ring.ts';
import { PUBLISH_MS } from '../../../../server/signing/lifetimes.ts';
import { revokeKey } from '../../../../server/signing/rotation/revoke.ts';
import { rotateSoon } from '../../../../server/signing/rotation/rotate-soon.ts';
import { Browser } from '../../browser.ts';
import { type Pair, startPair } from '../../pair.ts';
import { enrolPerson, expectProblem, jsonOf, SignIn, signIn, type Tokens } from '../../support.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

/** How far the clocks move at a time, in milliseconds. */
const STEP_MS = 20_000;

const BY = { actor: 'cli:root' };

/** How far the servers' clocks are ahead of the real ones, in milliseconds. */
let moved = 0;
const now = () => Date.now() + moved;

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({}, 'postgres', () => performance.now() + moved);
  for (const { context } of pair.instances) context.now = now;
});
afterAll(() => pair.close());

/** Lets time pass: both instances look at the keys at the same moment. */
async function step(): Promise<void> {
  moved += STEP_MS;
  await Promise.all(pair.instances.map((instance) => instance.lookAtKeys()));
}

/** A verifier that keeps the key set for as long as it may, and asks no sooner. */
class Verifier {
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;
  #until = 0;

  async verify(token: string): Promise<void> {
    if (this.#keys === undefined || now() >= this.#until) {
      const response = await fetch(`${pair.origin}/jwks`);
      this.#keys = createLocalJWKSet(await jsonOf<JSONWebKeySet>(response));
      const [, seconds] = /^public, max-age=(\d+)$/.exec(response.headers.get('cache-control') ?? '') ?? [];
      this.#until = now() + Number(seconds) * 1000;
      expect(this.#until).toBeGreaterThan(now() + 60_000);
    }
    await jwtVerify(token, this.#keys, { currentDate: new Date(now()), issuer: pair.origin });
  }
}

const currentKid = () => pair.context.keys.current().kid;

test('1,000 tokens across three rotations verify with key sets that are as old as they may be', async () => {
  const people = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const { key } = await enrolPerson(pair);
      const signedIn = await signIn(pair.origin, key);
      // All together would be too many requests of one address.
      return { ...signedIn, address: new Browser(pair.origin).address };
    }),
  );
  const verifiers = Array.from({ length: 8 }, () => new Verifier());
  // Every other round another verifier begins, so that their caches end at different times.
  const warm = 2 * verifiers.length;
  const kids = new Set<unknown>();
  let tokens = 0;
  let rotations = 0;
  for (let round = 0; tokens < 1_000 || rotations < 3; round += 1) {
    if (round >= warm && rotations < 3 && pair.context.keys.published().length === rotations + 1) {
      await rotateSoon(pair.context.store, pair.context.keys as DatabaseKeyRing, now(), BY);
    }
    const before = currentKid();
    const asked = people.flatMap((person) => [person, person].map((each) => tokenOf(each)));
    await step();
    if (currentKid() !== before) rotations += 1;
    for (const token of await Promise.all(asked)) {
      kids.add(decodeProtectedHeader(token).kid);
      await Promise.all(verifiers.slice(0, round / 2 + 1).map((verifier) => verifier.verify(token)));
      tokens += 1;
    }
  }
  expect([rotations, kids.size]).toEqual([3, 4]);
  expect(tokens).toBeGreaterThanOrEqual(1_000);

  // The access tokens are of the first key, which is a previous one now.
  const [first] = people;
  expect(decodeProtectedHeader(first?.access_token ?? '').kid).toBe(pair.context.keys.published().at(-1)?.kid);
});

type Person = Awaited<ReturnType<typeof signIn>> & { address: string };

async function tokenOf({ client, access_token, address }: Person): Promise<string> {
  const headers = {
    authorization: `DPoP ${access_token}`,
    dpop: await client.proof('POST', '/api/aws/token', { token: access_token }),
    'content-type': 'application/json',
    'x-forwarded-for': address,
  };
  const body = JSON.stringify({ role: ROLE });
  const response = await fetch(`${pair.origin}/api/aws/token`, { method: 'POST', headers, body });
  return (await jsonOf<{ token: string }>(response)).token;
}

test('a login that a rotation overtakes ends with tokens of the new key', async () => {
  const { key } = await enrolPerson(pair);
  const before = currentKid();
  const page = await SignIn.open(pair.origin);
  const options = await page.options();
  await rotateSoon(pair.context.store, pair.context.keys as DatabaseKeyRing, now(), BY);
  for (let gone = 0; gone <= PUBLISH_MS; gone += STEP_MS) {
    await step();
    // The page is open for 10 minutes; the challenge lives shorter.
    if (gone === PUBLISH_MS - 2 * STEP_MS) options.challenge = (await page.options()).challenge;
  }
  // The other instance sees it at its next look.
  await step();
  await step();
  expect(currentKid()).not.toBe(before);
  const touched = await jsonOf<{ redirectTo: string }>(await page.post('verify', key.get(options)));
  const code = new URL(touched.redirectTo).searchParams.get('code') ?? '';
  const tokens = await jsonOf<Tokens>(await page.client.redeem(code));
  for (const token of [tokens.access_token, tokens.id_token]) {
    expect(decodeProtectedHeader(token).kid).toBe(currentKid());
  }
  await jsonOf(await page.client.api('GET', '/api/session', tokens.access_token));
});

test('what a revoked key has signed counts no more, at any instance; what others have signed does', async () => {
  const { key } = await enrolPerson(pair);
  const old = await signIn(pair.origin, key);
  const { store, keys } = pair.context;
  const ring = keys as DatabaseKeyRing;
  const row = await store
    .selectFrom('signing_keys')
    .selectAll()
    .where('kid', '=', currentKid())
    .executeTakeFirstOrThrow();
  const replacement = await ring.makeKey();
  const withoutPrivateHalf = (each: typeof row) => ring.withoutPrivateHalf(each);
  await store
    .transaction()
    .execute((transaction) => revokeKey(transaction, row, { replacement, withoutPrivateHalf }, now(), BY));
  // A look that was under way may have begun before.
  await step();
  await step();
  for (let request = 0; request < 2; request += 1) {
    await expectProblem(await old.client.api('GET', '/api/session', old.access_token), 401, 'token-refused');
  }
  const fresh = await signIn(pair.origin, key);
  expect(decodeProtectedHeader(fresh.access_token).kid).toBe(replacement.kid);
  for (let request = 0; request < 2; request += 1) {
    await jsonOf(await fresh.client.api('GET', '/api/session', fresh.access_token));
  }
});
