import type { AddressInfo } from 'node:net';
import express from 'express';
import { decodeJwt, importJWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { AuditEvent } from '../../../server/audit/audit.ts';
import { idTokenForRole } from '../../../server/aws/id-token.ts';
import { issueToken } from '../../../server/aws/issue-token.ts';
import { awsTokenRoute } from '../../../server/aws/token-route.ts';
import { problemHandler } from '../../../server/http/problem-handler.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';
import { oneKey } from '../one-key.ts';
import { addAudit, emptyAudit, keyRow, personRow, sessionRow } from '../rows.ts';
import { addTrigger } from '../triggers.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';
const HOUR = 3600_000;
const MINUTES_10 = 600_000;

const session = {
  id: 'hers',
  email: 'alice@sub.example.com',
  keyId: 'key',
  personId: 'alice',
  role: 'member' as const,
  machine: null,
  keyName: 'Blue one',
  keyModel: null,
  authTime: NOW - 2 * HOUR,
  expiresAt: NOW + HOUR,
  suggestSpare: 0,
};

let opened: FeatureContext;
beforeAll(async () => {
  opened = await openContext({
    VOUCH_AWS_ISSUER: 'https://id.example.com/vouch',
    VOUCH_AWS_AUDIENCE: 'sts.example',
    VOUCH_AWS_SESSION_MINUTES: '45',
  });
  const { store } = opened.context;
  await store.insertInto('people').values(personRow('alice', session.email)).execute();
  await store
    .insertInto('keys')
    .values(keyRow('key', 'alice', { name: 'Blue one' }))
    .execute();
  const times = { auth_time: session.authTime, expires_at: session.expiresAt };
  for (const id of ['hers', 'another of hers']) {
    await store
      .insertInto('sessions')
      .values(sessionRow(id, 'alice', 'key', times))
      .execute();
  }
});
afterAll(() => opened.close());

beforeEach(async () => {
  await emptyAudit(opened.context.store);
});

const FROM = { ip: '192.0.2.7', requestId: 'r-1' };
const issue = (id = 'hers', role = ROLE) => issueToken(opened.context, { ...session, id }, role, FROM);
const auditRows = () => opened.context.store.selectFrom('audit').selectAll().orderBy('id').execute();

function setClock(now: number): void {
  opened.context.now = () => now;
  onTestFinished(() => {
    opened.context.now = () => NOW;
  });
}

/** Asks for a token, and does something while it is being signed. */
function issueDuring(interruption: () => Promise<unknown>) {
  const signingKey = opened.context.keys.current();
  const { kid, publicJwk } = signingKey;
  const sign = async (bytes: Uint8Array) => {
    await interruption();
    return signingKey.sign(bytes);
  };
  return issueToken({ ...opened.context, keys: oneKey({ kid, publicJwk, sign }) }, session, ROLE, FROM);
}

/** Writes the audit rows of tokens that were issued at a time. */
async function addIssued(
  count: number,
  when: number,
  id = 'hers',
  event: AuditEvent = 'aws-token-issued',
): Promise<void> {
  await addAudit(opened.context.store, when, ...Array(count).fill({ event, actor: session.email, sessionId: id }));
}

describe('the token for a role', () => {
  test('tells AWS for one minute who the person is, for which role, and nothing else', async () => {
    const signingKey = opened.context.keys.current();
    const { token, expiresAt, jti } = await idTokenForRole(opened.context, session, ROLE, NOW + 999);
    const { payload, protectedHeader } = await jwtVerify(token, await importJWK(signingKey.publicJwk, 'ES256'), {
      currentDate: new Date(NOW),
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: signingKey.kid, typ: 'JWT' });
    expect(payload).toEqual({
      iss: 'https://id.example.com/vouch',
      sub: 'alice@sub.example.com',
      aud: 'sts.example',
      iat: NOW / 1000,
      exp: NOW / 1000 + 60,
      jti,
      auth_time: session.authTime / 1000,
      amr: ['hwk', 'user', 'mfa'],
      'https://aws.amazon.com/roles': [ROLE],
      'https://aws.amazon.com/tags': {
        principal_tags: { 'vouch:Email': ['alice@sub.example.com'], 'vouch:Domain': ['sub.example.com'] },
        transitive_tag_keys: ['vouch:Email', 'vouch:Domain'],
      },
      'https://aws.amazon.com/source_identity': 'alice@sub.example.com',
    });
    expect(jti).toMatch(/^[\da-f-]{36}$/);
    expect(expiresAt).toBe(NOW + 60_000);
    expect((await idTokenForRole(opened.context, session, ROLE, NOW)).jti).not.toBe(jti);
  });

  test('tells AWS when it is for something lent', async () => {
    const { token } = await issueToken(opened.context, session, ROLE, FROM, 'build-7');
    expect(decodeJwt(token)['https://aws.amazon.com/tags']).toEqual({
      principal_tags: {
        'vouch:Email': ['alice@sub.example.com'],
        'vouch:Domain': ['sub.example.com'],
        'vouch:Lent': ['build-7'],
      },
      transitive_tag_keys: ['vouch:Email', 'vouch:Domain', 'vouch:Lent'],
    });
    const [row] = await auditRows();
    expect(JSON.parse(row?.detail ?? '{}')).toMatchObject({ role: ROLE, lent: 'build-7' });
  });

  test('ends with its session at the latest, in whole seconds', async () => {
    for (const [left, seconds] of [
      [60_999, 60],
      [60_000, 60],
      [59_999, 59],
      [1500, 1],
    ] as const) {
      const { token, expiresAt } = await idTokenForRole(
        opened.context,
        { ...session, expiresAt: NOW + left },
        ROLE,
        NOW,
      );
      expect([left, decodeJwt(token).exp, expiresAt]).toEqual([left, NOW / 1000 + seconds, NOW + seconds * 1000]);
    }
  });

  test('rounds the time of the touch down to a whole second', async () => {
    const { token } = await idTokenForRole(opened.context, { ...session, authTime: NOW - 1 }, ROLE, NOW);
    expect(decodeJwt(token).auth_time).toBe(NOW / 1000 - 1);
  });
});

describe('a token is issued', () => {
  test('with an audit row that identifies it, and does not hold it', async () => {
    const { token, expiresAt } = await issue();
    expect(expiresAt).toBe(NOW + 60_000);
    const rows = await auditRows();
    expect(rows).toMatchObject([
      {
        at: NOW,
        event: 'aws-token-issued',
        actor: session.email,
        subject: session.email,
        request_id: 'r-1',
        key_id: 'key',
        session_id: 'hers',
        ip: '192.0.2.7',
      },
    ]);
    expect(JSON.parse(rows[0]?.detail ?? '')).toEqual({ role: ROLE, jti: decodeJwt(token).jti, seconds: 2700 });
  });

  test('to nobody if the row cannot be written', async () => {
    const remove = await addTrigger(opened.context, 'before insert on audit', { fail: 'no room' });
    try {
      await expect(issue()).rejects.toThrow('no room');
    } finally {
      await remove();
    }
    await issue();
  });

  test('to no session that is over, revoked or unknown', async () => {
    const { store } = opened.context;
    const over = { category: 'no-session', kind: 'session-over' };
    await expect(issue('nobody’s')).rejects.toMatchObject(over);
    setClock(session.expiresAt);
    await expect(issue()).rejects.toMatchObject(over);
    setClock(session.expiresAt - 1000);
    await issue();
    setClock(NOW);
    await store.updateTable('sessions').set({ revoked_at: NOW }).where('id', '=', 'hers').execute();
    await expect(issue()).rejects.toMatchObject(over);
    expect(await auditRows()).toHaveLength(1);
    await store.updateTable('sessions').set({ revoked_at: null }).execute();
  });

  test('to no session that ends while the token is signed', async () => {
    const { store } = opened.context;
    const change = (changes: { revoked_at?: number | null; expires_at?: number }) =>
      store.updateTable('sessions').set(changes).where('id', '=', 'hers').execute();
    await expect(issueDuring(() => change({ revoked_at: NOW }))).rejects.toMatchObject({ kind: 'session-over' });
    await change({ revoked_at: null });
    const sooner = issueDuring(() => change({ expires_at: NOW + 59_999 }));
    await expect(sooner).rejects.toMatchObject({ kind: 'unavailable', headers: { 'Retry-After': '1' } });
    await change({ expires_at: NOW + 60_000 });
    await issueDuring(async () => undefined);
    await change({ expires_at: session.expiresAt });
    expect(await auditRows()).toHaveLength(1);
  });

  test('to nobody if the signature fails, and others can write while it is made', async () => {
    const { store } = opened.context;
    const failed = issueDuring(async () => {
      await addAudit(store, NOW, { event: 'invited', actor: 'cli:root' });
      throw new Error('KMS is away');
    });
    await expect(failed).rejects.toThrow('KMS is away');
    expect(await auditRows()).toMatchObject([{ event: 'invited' }]);
  });

  test('at most 300 times in 10 minutes, also to requests that are signed at once, and none beyond them is signed', async () => {
    await addIssued(299, NOW - 1);
    let signed = 0;
    const both = Promise.withResolvers<void>();
    const during = async () => {
      signed += 1;
      if (signed === 2) both.resolve();
      await both.promise;
    };
    const outcomes = await Promise.allSettled([issueDuring(during), issueDuring(during)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(issueDuring(during)).rejects.toMatchObject({ kind: 'too-many-requests' });
    expect(signed).toBe(2);
    expect(await auditRows()).toHaveLength(300);
  });

  test('at most 300 times in 10 minutes to one session, and another session has its own count', async () => {
    await addIssued(299, NOW - 1);
    await addIssued(300, NOW, 'another of hers', 'session-ended');
    await issue();
    await expect(issue()).rejects.toMatchObject({ category: 'too-many', kind: 'too-many-requests' });
    expect(await auditRows()).toHaveLength(600);
    await issue('another of hers');
  });

  test('but what was issued 10 minutes ago no longer counts', async () => {
    await addIssued(1000, NOW - MINUTES_10);
    await addIssued(299, NOW - MINUTES_10 + 1);
    await issue();
    await expect(issue()).rejects.toMatchObject({ kind: 'too-many-requests' });
    setClock(NOW + 1);
    await issue();
  });

  test('and a refusal says when the oldest of them will no longer count', async () => {
    const waits: [number, string, RegExp][] = [
      [NOW - MINUTES_10 + 200_000, '200', /^Wait 200 seconds,/],
      [NOW - MINUTES_10 + 199_001, '200', /^Wait 200 seconds,/],
      [NOW - MINUTES_10 + 1001, '2', /^Wait 2 seconds,/],
      [NOW - MINUTES_10 + 1000, '1', /^Wait 1 second,/],
      [NOW - MINUTES_10 + 1, '1', /^Wait 1 second,/],
      // The clock has been set back since.
      [NOW + 60_000, '660', /^Wait 660 seconds,/],
    ];
    for (const [oldest, seconds, fix] of waits) {
      await emptyAudit(opened.context.store);
      await addIssued(1, oldest);
      await addIssued(299, Math.max(oldest, NOW - 1));
      const said = { asymmetricMatch: (text: string) => fix.test(text) };
      await expect(issue()).rejects.toMatchObject({ headers: { 'Retry-After': seconds }, fix: said });
    }
  });
});

describe('the route', () => {
  /** Calls the route for a session that has been checked before. */
  async function ask(body: string, id: string | null = 'hers') {
    const app = express();
    const requireSession: express.RequestHandler = (_request, response, next) => {
      if (id === null) return void response.sendStatus(401);
      response.locals.session = { ...session, id };
      next();
    };
    app.use(awsTokenRoute(opened.context, requireSession), problemHandler(opened.context.log));
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/api/aws/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return { status: response.status, said: await response.text() };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test('answers with the token, when it expires, and how long credentials may be asked for', async () => {
    const { status, said } = await ask(JSON.stringify({ role: ROLE }));
    expect(status).toBe(200);
    const { token, ...rest } = JSON.parse(said) as { token: string };
    expect(rest).toEqual({ expiresAt: new Date(NOW + 60_000).toISOString(), sessionSeconds: 2700 });
    expect(decodeJwt(token)).toMatchObject({ sub: session.email, 'https://aws.amazon.com/roles': [ROLE] });
    expect(await auditRows()).toMatchObject([{ session_id: 'hers', ip: '127.0.0.1' }]);
  });

  test('answers with the name of the lend that it has marked the token for', async () => {
    const { said } = await ask(JSON.stringify({ role: ROLE, lent: 'build' }));
    const { token, lent } = JSON.parse(said) as { token: string; lent: string };
    expect(lent).toBe('build');
    expect(decodeJwt(token)['https://aws.amazon.com/tags']).toMatchObject({
      principal_tags: { 'vouch:Lent': ['build'] },
    });
  });

  const long = `arn:aws:iam::123456789012:role/${'p/'.repeat(64)}`;
  const wrong: [string, unknown, number, string][] = [
    ['text that is not an ARN', { role: 'VouchDeveloper' }, 400, 'role-refused'],
    ['text of 640 characters that is not an ARN', { role: long.padEnd(640, '/') }, 400, 'role-refused'],
    ['text of 641 characters', { role: long.padEnd(641, '/') }, 400, 'bad-request'],
    ['nothing', {}, 400, 'bad-request'],
    ['a list', [ROLE], 400, 'bad-request'],
    ['a lend whose name is too long', { role: ROLE, lent: 'x'.repeat(41) }, 400, 'bad-request'],
    ['a lend whose name has other characters', { role: ROLE, lent: 'a_b' }, 400, 'bad-request'],
    ['a lend whose name is no text', { role: ROLE, lent: 7 }, 400, 'bad-request'],
    ['a body of more than 4 KiB', { role: ROLE, more: 'x'.repeat(4096) }, 413, 'bad-request'],
  ];
  for (const [name, body, status, problem] of wrong) {
    test(`gives none for ${name}`, async () => {
      const answer = await ask(JSON.stringify(body));
      expect(answer).toMatchObject({ status, said: expect.stringContaining(`urn:vouch:problem:${problem}`) });
      expect(await auditRows()).toEqual([]);
    });
  }

  test('reads no body without a session', async () => {
    expect((await ask('{ no JSON')).status).toBe(400);
    expect((await ask('{ no JSON', null)).status).toBe(401);
  });
});
