import { exportJWK } from 'jose';
import { putSession } from '../../../cli/agent/client/requests.ts';
import { AccountPage } from '../../server/account/account-page.ts';
import { SoftKey } from '../../server/soft-key.ts';
import { enrolPerson, jsonOf, signIn, type TestServer } from '../../server/support.ts';
import { agent } from '../agent/support.ts';

/** Signs a person in at a real server, and hands the session to the agent of a machine. */
export async function signInAt(server: TestServer, key: SoftKey, env: NodeJS.ProcessEnv): Promise<void> {
  const { client, access_token } = await signIn(server.origin, key);
  const said = await client.api('GET', '/api/session', access_token);
  const { email, key: name, expiresAt } = await jsonOf<{ email: string; key: never; expiresAt: string }>(said);
  const dpopKey = await exportJWK(client.key.privateKey);
  await putSession({ issuer: server.origin, accessToken: access_token, dpopKey, email, key: name, expiresAt }, env);
}

/** Somebody new with a key, and a machine whose agent has their session. */
export async function personAtMachine(server: TestServer) {
  const the = await agent({ now: Date.now });
  const { email, key } = await enrolPerson(server);
  await signInAt(server, key, the.env);
  return { ...the, email, key };
}

/** Adds a further key on the page, as the person does. */
export async function addKeyOnPage(server: TestServer, key: SoftKey, further: SoftKey, name?: string): Promise<void> {
  const page = await AccountPage.signIn(server.origin, key);
  await jsonOf(await page.addKey(further, name));
  await page.send('POST', 'sign-out');
}

/** Somebody with a "Security key" and a "Spare key", and a machine whose agent has a session that began with the first. */
export async function personWithTwoKeys(server: TestServer) {
  const the = await personAtMachine(server);
  const spare = new SoftKey(server.origin);
  await addKeyOnPage(server, the.key, spare, 'Spare key');
  return { ...the, spare };
}
