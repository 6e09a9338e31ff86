import { decodeProtectedHeader } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { issueToken } from '../../../server/aws/issue-token.ts';
import { readConfig } from '../../../server/config/config.ts';
import { publicDocuments } from '../../../server/public-documents/documents.ts';
import { readPublishedKeys } from '../../../server/public-documents/published-keys.ts';
import { writeDocuments } from '../../../server/public-documents/write-documents.ts';
import { serve } from '../../../server/serve.ts';
import { findActiveSession } from '../../../server/sessions/sessions.ts';
import type { DatabaseKeyRing } from '../../../server/signing/key-ring.ts';
import { publishNext } from '../../../server/signing/rotation/transitions.ts';
import { assume, roleArn, temporaryFolder, trust, trustIssuer } from '../../aws/fixtures.ts';
import { startLocalAws } from '../../aws/start.ts';
import { freePort } from '../../support/free-port.ts';
import { makeDatabase } from '../engines.ts';
import { keyRow, personRow, sessionRow } from '../rows.ts';
import { StaticHost, trustedCa } from './static-host.ts';

const MINUTE = 60_000;

/** A server whose clocks a test moves, its static host, and AWS, which knows nothing else of it. */
async function startWorld() {
  const [folder, { ca, forget }, database] = await Promise.all([temporaryFolder(), trustedCa(), makeDatabase()]);
  onTestFinished(forget);
  onTestFinished(folder.remove);
  const host = await StaticHost.start(folder.path, ca);
  onTestFinished(() => host.close());
  let moved = 0;
  const config = readConfig({
    VOUCH_ISSUER: `http://localhost:${await freePort()}`,
    VOUCH_AWS_ISSUER: host.url,
    VOUCH_LOG_LEVEL: 'silent',
    ...database.settings,
  });
  const server = await serve(config, () => performance.now() + moved);
  onTestFinished(async () => {
    await server.close();
    await database.drop();
  });
  const { context } = server;
  context.now = () => Date.now() + moved;
  const aws = await startLocalAws({ folder: folder.path, now: () => new Date(context.now()) });
  onTestFinished(() => aws.close());
  const trustPolicy = {
    Version: '2012-10-17' as const,
    Statement: trust({ url: host.url.replace('https:', 'http:') }),
  };
  trustIssuer(aws, host, { trustPolicy });
  await context.store.insertInto('people').values(personRow('alice', 'alice@example.com')).execute();
  await context.store.insertInto('keys').values(keyRow('key', 'alice')).execute();
  const times = { auth_time: Date.now(), expires_at: Date.now() + 24 * 60 * MINUTE };
  await context.store
    .insertInto('sessions')
    .values(sessionRow('hers', 'alice', 'key', times))
    .execute();
  const keys = context.keys as DatabaseKeyRing;
  return {
    /** As `vouch-server signing-keys rotate` does. @returns the next key's name */
    rotate: async () => {
      const [current] = keys.keys;
      if (current === undefined) throw new Error('the server has no key');
      const next = await keys.makeKey();
      const seen = { current, next, signsFrom: context.now() };
      await context.store
        .transaction()
        .execute((transaction) => publishNext(transaction, seen, context.now(), { actor: 'cli:root' }));
      return next.kid;
    },
    states: () => Object.fromEntries(keys.keys.map(({ kid, state }) => [kid, state])),
    publish: async () => {
      const keys = await readPublishedKeys(context.store, Buffer.from(database.settings.VOUCH_MASTER_KEY, 'base64'));
      await writeDocuments(folder.path, publicDocuments(config, keys));
    },
    /** Lets time pass, minute by minute. */
    pass: async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        moved += MINUTE;
        await server.everyMinute();
        await server.lookAtKeys();
      }
    },
    /** Gets a token and credentials for it. @returns the name of the key that signed, and what AWS said */
    async use() {
      const session = await findActiveSession(context.store, 'hers', context.now());
      if (session === undefined) throw new Error('the session is over');
      const { token } = await issueToken(context, session, roleArn, { ip: '192.0.2.7', requestId: 'r-1' });
      const { status } = await assume(aws, token);
      return { kid: decodeProtectedHeader(token).kid, status };
    },
  };
}

test('a key that nobody publishes never signs, and everything goes on with the old one; once it is published, it takes over', async () => {
  const { publish, rotate, pass, use, states } = await startWorld();
  await publish();
  const { kid: old = '', status } = await use();
  expect(status).toBe(200);
  // The schedule wants to see the clock run evenly first.
  await pass(8);
  const next = await rotate();
  await pass(30);
  expect(states()).toEqual({ [old]: 'current', [next]: 'next' });
  expect(await use()).toEqual({ kid: old, status: 200 });

  await publish();
  // Caches may have an older copy for 5 minutes after a look has shown the newer one.
  await pass(5);
  expect(await use()).toEqual({ kid: old, status: 200 });
  await pass(2);
  expect(states()).toEqual({ [next]: 'current', [old]: 'previous' });
  expect(await use()).toEqual({ kid: next, status: 200 });
});
