import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { sweeperFor } from '../../../server/serve.ts';
import type { Sweeper } from '../../../server/store/sweep.ts';
import type { CliClient } from '../cli-client.ts';
import { enrolPerson, expectProblem, signIn, startServer, type TestServer } from '../support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let server: TestServer;
let sweeper: Sweeper;
/** The time of a clock that cannot be set, in milliseconds. */
let elapsed: number;
let client: CliClient;
let token: string;
/** A proof that has been used once. */
let proof: string;

/** Lets time pass, and sweeps every minute. @param ahead how far ahead the clock is, in milliseconds */
async function pass(milliseconds: number, ahead = 0): Promise<void> {
  for (let gone = 0; gone < milliseconds; gone += MINUTE) {
    elapsed += MINUTE;
    vi.setSystemTime(start + elapsed + ahead);
    await sweeper.sweep(Date.now());
  }
}
let start: number;

beforeEach(async () => {
  server = await startServer();
  onTestFinished(server.close);
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  // The global clock, which these tests set.
  server.context.now = () => Date.now();
  start = Date.now();
  elapsed = 0;
  sweeper = sweeperFor(server.context, () => elapsed);
  await pass(HOUR);
  const { key } = await enrolPerson(server);
  ({ client, access_token: token } = await signIn(server.origin, key));
  proof = await client.proof('GET', '/api/session', { token });
  expect((await use()).status).toBe(200);
});

const use = () => client.api('GET', '/api/session', token, { proof });

const countPayloads = async (model: string) =>
  (await server.context.store.selectFrom('oidc_payloads').select('model').where('model', '=', model).execute()).length;

describe('a used proof is not accepted again', () => {
  test('after some minutes of sweeping', async () => {
    await pass(4 * MINUTE);
    await expectProblem(await use(), 401, 'token-refused');
  });

  test('after the clock was a day ahead for some minutes', async () => {
    expect(await countPayloads('ReplayDetection')).toBeGreaterThan(0);
    await pass(3 * MINUTE, 24 * HOUR);
    // By this clock, the proof is a day old.
    expect((await use()).status).toBe(401);
    await pass(MINUTE);
    const fresh = await client.proof('GET', '/api/session', { token });
    expect((await client.api('GET', '/api/session', token, { proof: fresh })).status).toBe(200);
    await expectProblem(await use(), 401, 'token-refused');
    expect(await countPayloads('ReplayDetection')).toBeGreaterThan(0);
  });

  test('when the clock is set back after an hour and shows the same minutes twice', async () => {
    await pass(HOUR);
    vi.setSystemTime(start + HOUR + MINUTE);
    const fresh = await client.proof('GET', '/api/session', { token });
    expect((await client.api('GET', '/api/session', token, { proof: fresh })).status).toBe(200);
    await expectProblem(await use(), 401, 'token-refused');
  });

  test('by a server that starts while the clock is ahead', async () => {
    sweeper = sweeperFor(server.context, () => elapsed);
    await pass(4 * MINUTE, 24 * HOUR);
    await pass(MINUTE, -MINUTE);
    await expectProblem(await use(), 401, 'token-refused');
  });
});

test('used proofs are forgotten when their token has expired and the clock has run evenly', async () => {
  const proofs = async () => (await server.context.store.selectFrom('dpop_proofs').selectAll().execute()).length;
  await pass(8 * HOUR);
  expect(await proofs()).toBeGreaterThan(0);
  await pass(16 * MINUTE);
  expect(await proofs()).toBe(0);
  expect(await countPayloads('ReplayDetection')).toBe(0);
});
