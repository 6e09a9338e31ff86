import { decodeJwt } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { verifyTrail } from '../../server/audit/verify.ts';
import { invite } from '../../server/invitations/invite.ts';
import { readSnapshot } from '../../server/store/snapshot.ts';
import { Balancer } from '../support/balancer.ts';
import { freePort } from '../support/free-port.ts';
import { makeDatabase, openStore } from './engines.ts';
import { ServerProcess } from './program.ts';
import { SoftKey } from './soft-key.ts';
import { Enrolment, jsonOf, newEmail, signIn } from './support.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';
const PEOPLE = 3;

/** A server that is restarted. */
interface Instance {
  port: number;
  settings: Record<string, string>;
  process: ServerProcess;
}

async function startInstance(settings: Record<string, string>): Promise<Instance> {
  const port = await freePort();
  const all = { ...settings, VOUCH_LISTEN: `127.0.0.1:${port}` };
  const instance = { port, settings: all, process: await ServerProcess.start(all) };
  onTestFinished(() => instance.process.end('SIGKILL'));
  return instance;
}

test('while one server after the other is restarted under load, no request fails, and nothing confirmed is lost', async () => {
  const database = await makeDatabase('postgres');
  onTestFinished(database.drop);
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const settings = {
    VOUCH_ISSUER: origin,
    VOUCH_TRUST_PROXY: '127.0.0.1',
    // 16 times the time between two health checks.
    VOUCH_DRAIN_SECONDS: '4',
    ...database.settings,
  };
  const instances = [await startInstance(settings), await startInstance(settings)];
  const balancer = await Balancer.open(
    port,
    instances.map((instance) => instance.port),
  );
  onTestFinished(() => balancer.close());
  const ready = (instance: Instance, wanted: boolean) =>
    expect.poll(() => balancer.isReady(instance.port), { timeout: 60_000, interval: 20 }).toBe(wanted);
  for (const instance of instances) await ready(instance, true);
  const store = await openStore(database.settings.VOUCH_DATABASE_URL);

  const keys = await Promise.all(
    Array.from({ length: PEOPLE }, async () => {
      const { code } = await invite(store, Date.now(), { email: newEmail() }, { actor: 'cli:root' });
      const key = new SoftKey(origin);
      await jsonOf(await (await Enrolment.open(origin, code)).register(key));
      return key;
    }),
  );

  const agent = await signIn(origin, keys[0] as SoftKey);
  /** An agent's stream at this instance. The balancer takes turns. */
  const listenAt = async (instance: Instance): Promise<Response> => {
    for (;;) {
      const stream = await agent.client.api('GET', '/api/session/events', agent.access_token);
      expect(stream.status).toBe(200);
      if (stream.headers.get('x-served-by') === String(instance.port)) return stream;
      await stream.body?.cancel();
    }
  };

  const confirmed = { sessions: [] as string[], tokens: [] as string[] };
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  const work = async (key: SoftKey) => {
    while (!over) {
      const { client, access_token } = await signIn(origin, key);
      confirmed.sessions.push(String(decodeJwt(access_token).sid));
      const answer = await client.api('POST', '/api/aws/token', access_token, { body: { role: ROLE } });
      confirmed.tokens.push(String(decodeJwt((await jsonOf<{ token: string }>(answer)).token).jti));
    }
  };
  const working = Promise.all(keys.map(work));
  // Whatever fails there must fail the test, and not only at its end.
  const failed = working.then(() => {
    over = true;
  });

  const restart = async () => {
    for (const instance of instances) {
      const before = confirmed.sessions.length;
      const stream = await listenAt(instance);
      const ending = instance.process.end('SIGTERM');
      await ready(instance, false);
      // It ends at once, and the agent goes to another instance.
      expect(await stream.text()).toMatch(/^\{"event":"alive"\}\n/);
      const [other] = instances.filter((one) => one !== instance);
      await (await listenAt(other as Instance)).body?.cancel();

      await ending;
      expect(instance.process.status).toBe(0);
      instance.process = await ServerProcess.start(instance.settings);
      await ready(instance, true);
      expect(confirmed.sessions.length).toBeGreaterThan(before);
    }
    over = true;
  };
  await Promise.race([restart(), failed]);
  await working;

  expect(balancer.failures).toEqual([]);
  const sessions = await store.selectFrom('sessions').select('id').where('id', 'in', confirmed.sessions).execute();
  expect(sessions.length).toBe(confirmed.sessions.length);
  const rows = await store.selectFrom('audit').select(['event', 'session_id', 'detail']).execute();
  const signedIn = rows.filter(({ event }) => event === 'signed-in').map(({ session_id }) => session_id);
  expect(signedIn.sort()).toEqual([...confirmed.sessions, String(decodeJwt(agent.access_token).sid)].sort());
  const issued = rows.filter(({ event }) => event === 'aws-token-issued').map(({ detail }) => JSON.parse(detail).jti);
  expect(issued.sort()).toEqual([...confirmed.tokens].sort());
  expect((await readSnapshot(store, verifyTrail)).fault).toBeUndefined();
});
