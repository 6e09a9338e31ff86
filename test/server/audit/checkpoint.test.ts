import { decodeJwt, decodeProtectedHeader } from 'jose';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { chainHash } from '../../../server/audit/chain.ts';
import {
  currentHead,
  findCheckpoint,
  type Place,
  readCheckpoint,
  signCheckpoint,
  type Verifier,
} from '../../../server/audit/checkpoint.ts';
import { trimAudit } from '../../../server/audit/retention.ts';
import { verifyTrail } from '../../../server/audit/verify.ts';
import { idTokenForRole } from '../../../server/aws/id-token.ts';
import { signJwt } from '../../../server/signing/sign-jwt.ts';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import { type FeatureContext, openContext } from '../feature-context.ts';
import { addAudit } from '../rows.ts';
import { tamper } from './tampering.ts';

const DAY = 24 * 3600_000;
const NOW = 20_000 * DAY;

let opened: FeatureContext;
beforeEach(async () => {
  opened = await openContext();
  onTestFinished(() => opened.close());
});

const store = () => opened.context.store;
const signer = () => ({ issuer: opened.context.config.issuer, signingKey: opened.context.keys.current() });
const verifier = (): Verifier => ({
  issuer: signer().issuer,
  findKey: async (kid) => {
    const { signingKey } = signer();
    return kid === signingKey.kid ? { publicJwk: signingKey.publicJwk, revokedAt: null } : undefined;
  },
});
const checkpoint = async () => signCheckpoint(signer(), await currentHead(store()), NOW);
const add = (count: number, at = NOW) =>
  addAudit(store(), at, ...Array.from({ length: count }, () => ({ event: 'signed-in' as const, actor: 'a' })));
const linkOf = async (id: number): Promise<Place> =>
  store().selectFrom('audit').select(['id', 'hash', 'at']).where('id', '=', id).executeTakeFirstOrThrow();

/** What the whole trail says of a place that was once signed. */
async function found(link: Place) {
  return readSnapshot(store(), async (snapshot) => {
    const { base, fault } = await verifyTrail(snapshot);
    expect(fault).toBeUndefined();
    return findCheckpoint(snapshot, base, link, verifier());
  });
}

/** Writes all rows after `from` anew, with right hashes, as somebody can who has the file and the formula. */
async function rewrite(from: number, change: string): Promise<void> {
  await tamper(opened.databaseUrl, change);
  const rows = await store().selectFrom('audit').selectAll().where('id', '>=', from).orderBy('id').execute();
  let hash = from === 1 ? '' : (await linkOf(from - 1)).hash;
  const updates = rows.map(({ hash: _, ...fields }) => {
    hash = chainHash(hash, fields);
    return `update audit set hash = '${hash}' where id = ${fields.id}`;
  });
  await tamper(
    opened.databaseUrl,
    ...updates,
    `update audit_head set last_id = ${rows.at(-1)?.id}, last_hash = '${hash}'`,
  );
}

describe('a checkpoint', () => {
  test('is a JWS with the last row, the issuer, the time and the key’s name', async () => {
    await add(3);
    const token = await checkpoint();
    expect(decodeProtectedHeader(token)).toEqual({
      alg: 'ES256',
      typ: 'vouch-audit-checkpoint+jwt',
      kid: signer().signingKey.kid,
    });
    const { hash } = await linkOf(3);
    expect(decodeJwt(token)).toEqual({ iss: signer().issuer, iat: NOW / 1000, id: 3, hash, at: NOW });
    expect(await readCheckpoint(token, verifier())).toEqual({
      id: 3,
      hash,
      at: NOW,
      issuedAt: NOW,
      keyRevokedAt: null,
    });
  });

  test('of an empty trail is found later', async () => {
    const empty = await currentHead(store());
    expect(empty).toEqual({ id: 0, hash: '', at: 0 });
    await add(1);
    expect(await found(empty)).toBe('present');
  });

  const wrong: [string, () => Promise<string> | string][] = [
    ['that is garbage', () => 'garbage'],
    ['that is empty', () => ''],
    ['whose signature is another’s', async () => `${(await checkpoint()).slice(0, -86)}${'A'.repeat(86)}`],
    [
      'whose row was changed',
      async () => {
        const [header, , signature] = (await checkpoint()).split('.');
        const claims = { ...decodeJwt(await checkpoint()), id: 2 };
        return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
      },
    ],
    [
      'of another issuer',
      async () => signCheckpoint({ ...signer(), issuer: 'https://x.example' }, await currentHead(store()), NOW),
    ],
    [
      'by a key that is not the server’s',
      async () => {
        const other = await openContext();
        const signingKey = other.context.keys.current();
        await other.close();
        return signCheckpoint({ ...signer(), signingKey }, await currentHead(store()), NOW);
      },
    ],
    [
      'that is another token with the same claims',
      async () => signJwt(signer().signingKey, decodeJwt(await checkpoint())),
    ],
    [
      'that is a token for AWS',
      async () => {
        const session = { email: 'alice@example.com', authTime: NOW, expiresAt: NOW + DAY };
        return (await idTokenForRole(opened.context, session as never, 'arn:aws:iam::123456789012:role/x', NOW)).token;
      },
    ],
    [
      'that names no row',
      async () => signJwt(signer().signingKey, { iss: signer().issuer, iat: 1 }, 'vouch-audit-checkpoint+jwt'),
    ],
  ];
  test.each(wrong)('%s is refused', async (_, make) => {
    await add(3);
    await expect(readCheckpoint(await make(), verifier())).rejects.toMatchObject({ kind: 'checkpoint-refused' });
  });
});

describe('the trail still has a checkpoint’s row', () => {
  test('while rows are added', async () => {
    await add(3);
    const head = await currentHead(store());
    await add(3);
    expect(await found(head)).toBe('present');
  });

  test('but not if the whole trail was written anew, however well', async () => {
    await add(5);
    const [third, fifth] = [await linkOf(3), await linkOf(5)];
    await rewrite(4, `update audit set actor = 'eve' where id = 4`);
    expect(await found(third)).toBe('present');
    expect(await found(fifth)).toBe('never');
    await add(5);
    expect(await found(fifth)).toBe('never');
  });

  test('but not if the end was cut off, and not if it grew again', async () => {
    await add(5);
    const fifth = await linkOf(5);
    await rewrite(4, 'delete from audit where id > 4');
    expect(await found(fifth)).toBe('never');
    await addAudit(store(), NOW + 1, { event: 'signed-in', actor: 'a' });
    expect(await found(fifth)).toBe('never');
  });
});

describe('of a checkpoint’s row that was deleted for its age', () => {
  let links: Place[];
  beforeEach(async () => {
    await add(5, NOW - 500 * DAY);
    await add(3);
    links = await Promise.all([3, 5, 6].map(linkOf));
  });
  const all = async () => Promise.all(links.map(found));

  test('the server has signed that it did it', async () => {
    await trimAudit(store(), signer(), 400, NOW + DAY);
    expect(await all()).toEqual(['deleted', 'present', 'present']);
    // The row that tells of the first deletion outlives the second.
    await trimAudit(store(), signer(), 400, NOW + 400 * DAY);
    expect(await all()).toEqual(['deleted', 'deleted', 'deleted']);
    expect(await found({ id: 5, hash: 'x', at: 1 })).toBe('never');
  });

  test('the server has signed it, but somebody had made the row old before', async () => {
    const old = NOW - 500 * DAY;
    await rewrite(6, `update audit set at = ${old} where id in (6, 7)`);
    await trimAudit(store(), signer(), 400, NOW);
    expect((await currentHead(store())).id).toBe(9);
    expect(await all()).toEqual(['deleted', 'deleted', 'deleted-early']);
  });

  /** Deletes rows as the server does, but without its key. */
  async function deleteWithoutKey(toId: number, signed: (link: Place) => Promise<string>): Promise<void> {
    const last = await linkOf(toId);
    const base = await store().selectFrom('audit_head').select('base_id').executeTakeFirstOrThrow();
    await tamper(
      opened.databaseUrl,
      `update audit_head set base_id = ${toId}, base_hash = '${last.hash}'`,
      `delete from audit where id <= ${toId}`,
    );
    const detail = { fromId: base.base_id + 1, toId, hash: last.hash, signed: await signed(last) };
    await addAudit(store(), NOW, { event: 'audit-trimmed', actor: 'server', detail });
  }

  // Not even a checkpoint of a later row, which is still there, hides that others are gone.
  const unsigned = Array(3).fill('deletion-unsigned');

  test('nobody else can say so', async () => {
    await deleteWithoutKey(5, async () => 'x');
    expect(await all()).toEqual(unsigned);
  });

  test('nobody can say so with a checkpoint of that very row, which is no secret', async () => {
    await deleteWithoutKey(5, (last) => signCheckpoint(signer(), last, NOW));
    expect(await all()).toEqual(unsigned);
  });

  test('nobody can say so with a signature that the server gave for another row', async () => {
    await trimAudit(store(), signer(), 400, NOW);
    const { signed: given } = JSON.parse(
      (await store().selectFrom('audit').select('detail').orderBy('id', 'desc').executeTakeFirstOrThrow()).detail,
    );
    // Nor is it a checkpoint itself.
    await expect(readCheckpoint(given, verifier())).rejects.toMatchObject({ kind: 'checkpoint-refused' });
    await deleteWithoutKey(7, async () => given);
    expect(await all()).toEqual(unsigned);
  });
});
