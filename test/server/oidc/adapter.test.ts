import { errors } from 'oidc-provider';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OidcAdapter } from '../../../server/oidc/adapter.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';
import type { Store } from '../../../server/store/store.ts';
import { makeDatabase, type NewDatabase } from '../engines.ts';

let database: NewDatabase;
/** One database, opened by two instances. */
let stores: [Store, Store];
beforeAll(async () => {
  database = await makeDatabase();
  const open = () => chooseEngine(database.settings.VOUCH_DATABASE_URL).open();
  stores = [await open(), await open()];
});
afterAll(async () => {
  for (const store of stores) await store.destroy();
  await database.drop();
});

/** 50 requests at the same moment, each at the other instance than the one before. */
function race<Result>(act: (adapter: OidcAdapter) => Promise<Result>, adapters: OidcAdapter[]): Promise<Result>[] {
  return Array.from({ length: 50 }, (_, racer) => act(adapters[racer % 2] as OidcAdapter));
}

/** The errors of those that lost a race. */
async function errorsOf(racers: Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(racers);
  return results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown);
}

test.each(['AuthorizationCode', 'PushedAuthorizationRequest'])(
  'one %s that was found by 50 requests is consumed by one',
  async (model) => {
    const revoked: string[] = [];
    const adapters = stores.map(
      (store) => new OidcAdapter(store, model, Date.now, async (grantId) => void revoked.push(grantId)),
    );
    await adapters[0]?.upsert('code', { grantId: 'grant' }, 60);
    const found = await Promise.all(race((adapter) => adapter.find('code'), adapters));
    expect(found.filter((code) => code !== undefined && code.consumed === undefined)).toHaveLength(50);
    const lost = await errorsOf(race((adapter) => adapter.consume('code'), adapters));
    expect(lost).toHaveLength(49);
    for (const error of lost) expect(error).toBeInstanceOf(errors.InvalidGrant);
    // A second use ends what the first one gave.
    expect(new Set(revoked)).toEqual(new Set(['grant']));
    expect((await adapters[1]?.find('code'))?.consumed).toEqual(expect.any(Number));
  },
);

test('a proof that 50 requests found unused is accepted from one', async () => {
  const adapters = stores.map((store) => new OidcAdapter(store, 'ReplayDetection', Date.now, async () => {}));
  const lost = await errorsOf(race((adapter) => adapter.upsert('proof', { iss: 'vouch-cli' }, 60), adapters));
  expect(lost).toHaveLength(49);
  for (const error of lost) expect(error).toBeInstanceOf(errors.InvalidDpopProof);
});

test('an expired entry is not found, and IDs are stored only as hashes', async () => {
  const [store] = stores;
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
