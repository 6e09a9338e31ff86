import { errors } from 'oidc-provider';
import { beforeAll, expect, test } from 'vitest';
import { OidcAdapter } from '../../../server/oidc/adapter.ts';
import type { Store } from '../../../server/store/store.ts';
import { makeStore } from '../engines.ts';

let store: Store;
beforeAll(async () => {
  const made = await makeStore();
  store = made.store;
  return made.close;
});

/** The errors of those that lost a race. */
async function errorsOf(racers: Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(racers);
  return results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown);
}

test('a code that was found by 20 requests is consumed by one', async () => {
  const revoked: string[] = [];
  const codes = new OidcAdapter(store, 'AuthorizationCode', Date.now, async (grantId) => void revoked.push(grantId));
  await codes.upsert('code', { grantId: 'grant' }, 60);
  const found = await Promise.all(Array.from({ length: 20 }, () => codes.find('code')));
  expect(found.filter((code) => code?.consumed === undefined)).toHaveLength(20);
  const lost = await errorsOf(Array.from({ length: 20 }, () => codes.consume('code')));
  expect(lost).toHaveLength(19);
  for (const error of lost) expect(error).toBeInstanceOf(errors.InvalidGrant);
  // A second use ends what the first one gave.
  expect(new Set(revoked)).toEqual(new Set(['grant']));
  expect((await codes.find('code'))?.consumed).toEqual(expect.any(Number));
});

test('a proof that 20 requests found unused is accepted from one', async () => {
  const proofs = new OidcAdapter(store, 'ReplayDetection', Date.now, async () => {});
  const lost = await errorsOf(Array.from({ length: 20 }, () => proofs.upsert('proof', { iss: 'vouch-cli' }, 60)));
  expect(lost).toHaveLength(19);
  for (const error of lost) expect(error).toBeInstanceOf(errors.InvalidDpopProof);
});

test('an expired entry is not found, and IDs are stored only as hashes', async () => {
  let now = 1_000_000;
  const grants = new OidcAdapter(
    store,
    'Grant',
    () => now,
    async () => {},
  );
  await grants.upsert('the-secret-id', { jti: 'the-secret-id', accountId: 'alice@example.com' }, 10);
  expect(await grants.find('the-secret-id')).toEqual({ jti: 'the-secret-id', accountId: 'alice@example.com' });
  const rows = await store.selectFrom('oidc_payloads').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain('the-secret-id');
  now += 10_000;
  expect(await grants.find('the-secret-id')).toBeUndefined();
});
