import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { calculateJwkThumbprint, exportJWK, importJWK, SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { agentStatus, putSession } from '../../cli/agent/client/requests.ts';
import { startAgent } from '../../cli/agent/client/start.ts';
import type { NewSession } from '../../cli/agent/protocol/messages.ts';
import { usualTimeouts } from '../../cli/agent/session/timeouts.ts';
import { readConfig } from '../../server/config/config.ts';
import { type RunningServer, serve } from '../../server/serve.ts';
import { openFile } from '../../server/store/sqlite/open-store.ts';
import { TestCa } from '../aws/test-ca.ts';
import { agent, viaGit } from '../cli/agent/support.ts';
import { gitRequest, installHelper, lines, machine, newSession, run, services, setUpProfile } from '../cli/support.ts';
import { newKeyPair } from '../server/cli-client.ts';
import { privateJwk } from '../server/private-key.ts';
import { keyRow, personRow, sessionRow } from '../server/rows.ts';
import { newDatabase } from '../server/settings.ts';
import { freePort } from '../support/free-port.ts';

/** A real server and a real agent: whoever is shut out at the one gets nothing more from the other. */

const master = randomBytes(32);

/** A server on a database that outlasts it. The tests' agents are the only clients, so people and sessions are put in by hand. */
async function serverFor(issuer: string, listen: string, database = newDatabase()) {
  const settings = {
    VOUCH_ISSUER: issuer,
    VOUCH_LISTEN: listen,
    VOUCH_DATABASE_URL: `sqlite:${database}`,
    VOUCH_MASTER_KEY: master.toString('base64'),
    VOUCH_LOG_LEVEL: 'silent',
    VOUCH_CONTACT: 'it@example.com',
  };
  let running: RunningServer | undefined = await serve(readConfig(settings));
  onTestFinished(async () => running?.close());
  /** As another process has it, such as a command. */
  const store = await openFile(database);
  onTestFinished(() => store.destroy());
  return {
    store,
    disable: (email: string) =>
      store.updateTable('people').set({ disabled_at: 1 }).where('email', '=', email).execute(),
    stop: async () => {
      await running?.close();
      running = undefined;
    },
    start: async () => {
      running = await serve(readConfig(settings));
    },
    /** Signs Alice in. */
    session: async (expiresAt = Date.now() + 8 * 3600_000): Promise<NewSession> => {
      const [id, email] = [randomUUID(), 'alice@example.com'];
      await store.insertInto('people').values(personRow(id, email)).execute();
      await store.insertInto('keys').values(keyRow(id, id)).execute();
      await store
        .insertInto('sessions')
        .values(sessionRow(id, id, id))
        .execute();
      const { kid } = await store.selectFrom('signing_keys').select('kid').executeTakeFirstOrThrow();
      const dpop = await newKeyPair();
      const accessToken = await new SignJWT({
        sid: id,
        client_id: 'vouch-cli',
        cnf: { jkt: await calculateJwkThumbprint(dpop.publicJwk) },
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
        .setIssuer(issuer)
        .setAudience(`${issuer}/api`)
        .setSubject(email)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime('8h')
        .sign(await importJWK(await privateJwk(store, master), 'ES256'));
      const dpopKey = await exportJWK(dpop.privateKey);
      return newSession(issuer, { accessToken, dpopKey, email, expiresAt: new Date(expiresAt).toISOString() });
    },
  };
}

/** TLS for all hosts in front of a port, behind a proxy that serves only CONNECT. @returns the proxy's address */
async function behindProxy(port: number, ca: TestCa): Promise<{ url: string; targets: string[] }> {
  const tls = createTlsServer({
    SNICallback: (host, done) => void ca.contextFor(host).then((context) => done(null, context), done),
  });
  tls.on('secureConnection', (client) => {
    const server = connect(port, '127.0.0.1');
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    // A reverse proxy names the client.
    client.once('data', (head) => {
      server.write(head.toString('latin1').replace('\r\n', '\r\nX-Forwarded-For: 203.0.113.7\r\n'), 'latin1');
      client.pipe(server).pipe(client);
    });
  });
  const targets: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, client) => {
    targets.push(String(request.url));
    const onward = connect((tls.address() as AddressInfo).port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(onward).pipe(client);
    });
    client.on('error', () => onward.destroy());
    onward.on('error', () => client.destroy());
  });
  for (const server of [tls, proxy]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
  }
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, targets };
}

test('disabled in the middle of a session: the next credential is refused with the reason, through TLS and a proxy too', async () => {
  const [issuer, port] = ['https://vouch.example.com', await freePort()];
  const server = await serverFor(issuer, `127.0.0.1:${port}`);
  const [the, world, ca] = [machine(), await services(), await TestCa.create()];
  const proxy = await behindProxy(port, ca);
  const caFile = join(the.folder, 'ca.pem');
  writeFileSync(caFile, ca.pem);
  Object.assign(the.env, {
    HTTPS_PROXY: proxy.url,
    NODE_EXTRA_CA_CERTS: caFile,
    AWS_ENDPOINT_URL_STS: world.url,
  });
  setUpProfile(the);
  const helper = installHelper(the);
  await startAgent(the.env);
  const { pid } = await agentStatus(the.env);
  onTestFinished(() => void process.kill(pid, 'SIGKILL'));
  await putSession(await server.session(), the.env);

  const before = await run(helper, ['get'], the.env, gitRequest);
  expect(lines(before.stdout).password).toBeDefined();
  expect(new Set(proxy.targets)).toEqual(new Set(['vouch.example.com:443']));

  await server.disable('alice@example.com');
  await expect.poll(async () => (await agentStatus(the.env)).session, { timeout: 30_000 }).toBeNull();
  const after = await run(helper, ['get'], the.env, gitRequest);
  expect(after).toMatchObject({
    stdout: 'quit=1\n',
    stderr:
      'vouch: Your administrator has disabled your account at vouch.example.com.\n' +
      'vouch: Ask your administrator (it@example.com); once it is enabled again, run `vouch login`.\n',
  });
  expect(await agentStatus(the.env)).toMatchObject({ credentials: [], ended: { reason: 'person-disabled' } });
});

test('while the server is down nothing changes; when it is back, what happened meanwhile is learned', async () => {
  const port = await freePort();
  const server = await serverFor(`http://localhost:${port}`, `127.0.0.1:${port}`);
  const the = await agent({ timeouts: { ...usualTimeouts, firstReopening: 1, longestReopening: 20 } });
  await the.running.agent.take(await server.session());
  const password = lines(await viaGit(the)).username;
  await server.stop();
  await server.disable('alice@example.com');
  expect(lines(await viaGit(the)).username).toBe(password);
  expect(the.running.agent.hasSession).toBe(true);
  await server.start();
  await expect.poll(() => the.running.agent.hasSession, { timeout: 30_000 }).toBe(false);
  expect(await viaGit(the)).toBe('');
  expect(the.running.agent.status().ended).toMatchObject({
    reason: 'person-disabled',
    fix: expect.stringContaining('(it@example.com)'),
  });
});
