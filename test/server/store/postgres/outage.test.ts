import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { verifyTrail } from '../../../../server/audit/verify.ts';
import { readSnapshot } from '../../../../server/store/snapshot.ts';
import { administer } from '../../../support/postgres.ts';
import { Cluster } from '../../../support/postgres-cluster.ts';
import { CliClient } from '../../cli-client.ts';
import { MASTER_KEY } from '../../settings.ts';
import { enrolPerson, expectProblem, jsonOf, SignIn, signIn, startServer } from '../../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'v-'));
let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.make(join(folder, 'pg'), []);
  await cluster.start();
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ready = async (origin: string) => (await fetch(`${origin}/readyz`)).status;

/** Expects an answer that says when to try again. */
async function expectUnavailable(response: Response): Promise<void> {
  expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  await expectProblem(response, 503, 'unavailable');
}

test.each(['SIGINT', 'SIGQUIT'] as const)(
  'the server goes on by itself after PostgreSQL was ended by %s',
  async (signal) => {
    const database = `of_${signal.toLowerCase()}`;
    await administer(cluster.url('postgres'), `create database ${database}`);
    const server = await startServer({ VOUCH_DATABASE_URL: cluster.url(database), VOUCH_MASTER_KEY: MASTER_KEY });
    onTestFinished(server.close);
    const { email, key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    const page = await SignIn.open(server.origin);
    const options = await page.options();

    // In the middle of requests.
    const pushes = Array.from({ length: 30 }, async () => (await CliClient.create(server.origin)).push());
    await cluster.stop(signal);
    for (const response of await Promise.all(pushes)) {
      expect([201, 503]).toContain(response.status);
      if (response.status === 503) expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }

    await expect.poll(() => ready(server.origin), { timeout: 30_000 }).toBe(503);
    expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
    await expectUnavailable(await page.post('verify', key.get(options)));
    await expectUnavailable(await client.api('GET', '/api/session', access_token));

    await cluster.start();
    await expect.poll(() => ready(server.origin), { timeout: 30_000 }).toBe(200);
    await jsonOf(await client.api('GET', '/api/session', access_token));
    await jsonOf(await page.post('verify', key.get(options)));
    await signIn(server.origin, key);
    const { store } = server.context;
    expect((await readSnapshot(store, verifyTrail)).fault).toBeUndefined();
    const people = await store.selectFrom('people').select('email').execute();
    expect(people.map((person) => person.email)).toContain(email);
  },
);
