import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { denyPolicy } from '../../../../server/aws/revoke/policy.ts';
import { createStack } from '../../../aws/cloudformation.ts';
import {
  accountId,
  assume,
  type Credentials,
  git,
  gitCredentials,
  readCredentials,
  roleArn,
} from '../../../aws/fixtures.ts';
import { type LocalAws, startLocalAws } from '../../../aws/start.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { vouchServer } from '../../program.ts';
import { enrolPerson, jsonOf, signIn, startServer, type TestServer } from '../../support.ts';
import { appliers } from './readers.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const folder = temporaryFolder();
let server: TestServer;
let aws: LocalAws;
let url: string;
let settings: Record<string, string>;

beforeAll(async () => {
  server = await startServer();
  settings = { VOUCH_ISSUER: server.origin, VOUCH_DATABASE_URL: server.databaseUrl };
  aws = await startLocalAws({ folder });
  ({ url } = await aws.createRepository({ name: 'demo' }));
});
afterAll(async () => {
  await server.close();
  await aws.close();
});
beforeEach(async () => {
  aws.now = () => new Date();
  const template = ['aws-template', '--format', 'cloudformation', '--account', accountId, '--domain', 'example.com'];
  const { stdout } = await vouchServer([...template, '--repository', `arn:aws:codecommit:*:${accountId}:*`], settings);
  createStack(aws.account(), stdout);
});

/** A new person who has signed in, and asks for credentials of the role as their agent does. */
async function person() {
  const { email, key } = await enrolPerson(server);
  const { client, access_token } = await signIn(server.origin, key);
  const token = async () => {
    const response = await client.api('POST', '/api/aws/token', access_token, { body: { role: roleArn } });
    return (await jsonOf<{ token: string }>(response)).token;
  };
  const redeem = async (value: string) => {
    const answer = await assume(aws, value, { RoleSessionName: email });
    expect(answer).toMatchObject({ status: 200 });
    return readCredentials(answer);
  };
  return { email, token, redeem, credentials: async () => redeem(await token()) };
}

/** Whether CodeCommit lets Git in with these credentials, at AWS's time. */
async function works(held: Credentials): Promise<boolean> {
  const signed = gitCredentials(held, { date: aws.now() });
  const { code } = await git(aws, folder, ['ls-remote', url], { credentials: signed });
  if (code !== 0) expect(aws.log.at(-1)).toMatchObject({ service: 'codecommit', outcome: 'AccessDeniedException' });
  return code === 0;
}

/** Stops the clocks of AWS and of the server; the command has its own. */
function stopClocks(at: number): void {
  aws.now = () => new Date(at);
  server.context.now = () => at;
  onTestFinished(() => {
    server.context.now = Date.now;
  });
}

describe.each(appliers(folder))('what aws-revoke prints for %s', (format, apply) => {
  const revoke = async (email: string) => {
    const { code, stdout, stderr } = await vouchServer(['aws-revoke', email, '--format', format], settings);
    expect([code, stderr]).toEqual([0, expect.stringContaining('Run it now')]);
    apply(stdout, aws.account());
    return stdout;
  };

  test('ends the credentials that a person has, and neither other people’s nor their own later ones', async () => {
    const [alice, bob] = [await person(), await person()];
    const [hers, his] = [await alice.credentials(), await bob.credentials()];
    expect([await works(hers), await works(his)]).toEqual([true, true]);
    const start = Date.now();
    stopClocks(start);
    const out = await alice.token();

    await revoke(alice.email.toUpperCase());
    expect([await works(hers), await works(his)]).toEqual([false, true]);

    // A token that was out is redeemed in the last minute in which AWS takes it.
    stopClocks(start + 6 * MINUTE - 1000);
    expect(await works(await alice.redeem(out))).toBe(false);

    stopClocks(start + 30 * MINUTE);
    expect([await works(await alice.credentials()), await works(hers)]).toEqual([true, false]);
  });

  test('goes beside another person’s, and in place of an earlier one of the same person', async () => {
    const [alice, bob] = [await person(), await person()];
    const [hers, his] = [await alice.credentials(), await bob.credentials()];
    await revoke(alice.email);
    await revoke(bob.email);
    expect([await works(hers), await works(his)]).toEqual([false, false]);
    await revoke(alice.email);
    const names = aws.account().role('VouchDeveloper')?.inlinePolicies.keys() ?? [];
    expect([...names]).toEqual([`VouchRevoke-${alice.email}`, `VouchRevoke-${bob.email}`]);
  });
});

test('when aws-revoke says that the policy can be deleted, not even credentials for 12 hours are left', async () => {
  const alice = await person();
  const role = aws.account().role('VouchDeveloper');
  if (role) role.maxSessionDuration = 43_200;
  const start = Date.now();
  stopClocks(start);
  const out = await alice.token();
  const { stdout } = await vouchServer(['aws-revoke', alice.email, '--json'], settings);
  const deletableAt = Date.parse((JSON.parse(stdout) as { deletableAt: string }).deletableAt);
  stopClocks(start + 6 * MINUTE - 1000);
  const answer = await assume(aws, out, { RoleSessionName: alice.email, DurationSeconds: '43200' });
  expect(Date.parse(answer.text('Expiration') ?? '')).toBeLessThanOrEqual(deletableAt);
  expect(deletableAt).toBeLessThan(Date.now() + 12 * HOUR + 7 * MINUTE);
});

test('docs/aws.md shows the policy', () => {
  const docs = readFileSync(resolve(import.meta.dirname, '../../../../docs/aws.md'), 'utf8');
  const policy = denyPolicy({ email: 'alice@example.com', issuedBefore: Date.UTC(2026, 10, 30, 10, 48) });
  expect(docs).toContain(`\n${JSON.stringify(policy, null, 2)}\n`);
});
