import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { currentHead, signCheckpoint } from '../../../server/audit/checkpoint.ts';
import { signJwt } from '../../../server/signing/sign-jwt.ts';
import { roleArn, sts, temporaryFolder, trustIssuer } from '../../aws/fixtures.ts';
import { startLocalAws } from '../../aws/start.ts';
import type { CliClient } from '../cli-client.ts';
import { enrolPerson, expectProblem, signIn, startServer, type TestServer } from '../support.ts';

/** A checkpoint is signed with the key that signs everything else, and lies around for years: it must be worth nothing anywhere else. */

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

let email: string;
let client: CliClient;
let token: string;
/** A checkpoint, and one that also says all that an access token, or a token for AWS, says. */
let checkpoints: [string, string, string];
beforeEach(async () => {
  const { key, ...person } = await enrolPerson(server);
  ({ email } = person);
  ({ client, access_token: token } = await signIn(server.origin, key));
  const { config, keys, store } = server.context;
  const signingKey = keys.current();
  const signer = { issuer: config.issuer, signingKey };
  const plain = await signCheckpoint(signer, await currentHead(store), Date.now());
  const claims = decodeJwt(plain);
  const typ = 'vouch-audit-checkpoint+jwt';
  checkpoints = [
    plain,
    await signJwt(signingKey, { ...decodeJwt(token), ...claims }, typ),
    await signJwt(signingKey, { ...claims, sub: email, exp: Number(claims.iat) + 300 }, typ),
  ];
});

test('not as an access token', async () => {
  for (const checkpoint of checkpoints) {
    await expectProblem(await client.api('GET', '/api/session', checkpoint), 401, 'token-refused');
  }
  expect((await client.api('GET', '/api/session', token)).status).toBe(200);
});

test('not to end a session', async () => {
  const revoke = (what: string) =>
    fetch(`${server.origin}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ token: what, client_id: 'vouch-cli' }),
    });
  for (const checkpoint of checkpoints) {
    expect((await revoke(checkpoint)).status).toBe(200);
    expect((await client.api('GET', '/api/session', token)).status).toBe(200);
  }
  expect((await revoke(token)).status).toBe(200);
  await expectProblem(await client.api('GET', '/api/session', token), 401, 'session-over');
});

test('not at AWS, whose provider trusts this very issuer', async () => {
  const folder = await temporaryFolder();
  const aws = await startLocalAws({ folder: folder.path });
  try {
    trustIssuer(aws, { url: server.origin });
    const [plain, , withSubjectAndEnd] = checkpoints;
    for (const [checkpoint, message] of [
      [plain, /exp/],
      [withSubjectAndEnd, /aud/],
    ] as const) {
      const answer = await sts(aws, {
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn: roleArn,
        RoleSessionName: email,
        WebIdentityToken: checkpoint,
      });
      expect(answer).toMatchObject({
        status: 400,
        code: 'InvalidIdentityToken',
        message: expect.stringMatching(message),
      });
    }
  } finally {
    await aws.close();
    await folder.remove();
  }
});
