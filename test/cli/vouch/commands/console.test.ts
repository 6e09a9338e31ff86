import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../aws/fixtures.ts';
import type { Session } from '../../../aws/sessions.ts';
import { type LocalAws, startLocalAws } from '../../../aws/start.ts';
import { signedIn } from '../../agent/support.ts';
import { machine, root, run, setUpProfile } from '../../support.ts';

const program = join(root, 'cli/vouch/main.ts');

interface World {
  aws: LocalAws;
  env: NodeJS.ProcessEnv;
  /** The session that STS gives. */
  session: Session;
  console(...args: string[]): ReturnType<typeof run>;
  /** The addresses that the browser was started with, and where it came to. */
  visits(): { argument: string; location: string }[];
}

/** A signed-in person, an AWS account in some partition, and a browser that follows one redirection. */
async function world(partition = 'aws', region?: string): Promise<World> {
  const the = await signedIn();
  const folder = await temporaryFolder();
  const aws = await startLocalAws({ folder: folder.path, accounts: [] });
  onTestFinished(async () => {
    await aws.close();
    await folder.remove();
  });
  const account = aws.addAccount('210987654321', partition);
  const trustPolicy = {
    Version: '2012-10-17' as const,
    Statement: [{ Effect: 'Allow' as const, Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
  };
  const role = account.addRole({ name: 'Console', trustPolicy });
  const session = aws.sessions.issue({
    account,
    role,
    name: 'alice@example.com',
    issuedAt: new Date(),
    expiration: new Date(Math.floor(Date.now() / 1000) * 1000 + 3600_000),
    provider: 'arn:aws:iam::210987654321:oidc-provider/vouch.example.com',
    providerKeys: {},
    tags: {},
    transitiveTags: {},
    sourceIdentity: undefined,
  });
  the.world.answers.sts = (response) =>
    response.writeHead(200, { 'content-type': 'text/xml' }).end(
      `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
        <Credentials><AccessKeyId>${session.accessKeyId}</AccessKeyId>
        <SecretAccessKey>${session.secretAccessKey}</SecretAccessKey><SessionToken>${session.sessionToken}</SessionToken>
        <Expiration>${session.expiration.toISOString()}</Expiration></Credentials>
        </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    );
  setUpProfile(the, 'console', region === undefined ? role.arn : `${role.arn}\nregion = ${region}`);
  const log = join(the.folder, 'visits');
  const browser = join(the.folder, 'browser');
  writeFileSync(
    browser,
    `#!/bin/sh
exec '${process.execPath}' -e '
  require("node:http").get(process.argv[1], (response) => {
    const visit = { argument: process.argv[1], location: response.headers.location };
    require("node:fs").appendFileSync("${log}", JSON.stringify(visit) + "\\n");
  });' "$1"
`,
  );
  chmodSync(browser, 0o755);
  const env = {
    ...the.env,
    HTTPS_PROXY: aws.proxyUrl,
    AWS_CA_BUNDLE: aws.caFile,
    BROWSER: browser,
    AWS_PROFILE: 'console',
  };
  return {
    aws,
    env,
    session,
    console: (...args) => run(process.execPath, [program, 'console', ...args], env),
    visits: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}

describe('vouch console', () => {
  test('leads the browser to the console, without its address in any argument', async () => {
    const the = await world('aws', 'eu-west-1');
    const done = await the.console();
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toMatch(
      /^Opening the AWS console in your browser: Console in 210987654321, until .*\d\d:\d\d\n$/,
    );
    const [visit] = the.visits();
    expect(visit?.argument).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}$/);
    const address = new URL(visit?.location ?? '');
    expect(address.origin + address.pathname).toBe('https://signin.aws.amazon.com/federation');
    expect(Object.fromEntries(address.searchParams)).toEqual({
      Action: 'login',
      Issuer: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      Destination: 'https://console.aws.amazon.com/console/home?region=eu-west-1',
      SigninToken: expect.any(String),
    });
    // The credentials were in no URL, and the session is as long as they are.
    expect(the.aws.log.at(-1)).toMatchObject({ action: 'getSigninToken', method: 'POST', outcome: 'OK' });
  });

  test.each([
    ['aws', 'us-west-2', 'signin.aws.amazon.com', 'console.aws.amazon.com'],
    ['aws-us-gov', 'us-gov-east-1', 'signin.amazonaws-us-gov.com', 'console.amazonaws-us-gov.com'],
    ['aws-cn', 'cn-northwest-1', 'signin.amazonaws.cn', 'console.amazonaws.cn'],
    ['aws-eusc', 'eusc-de-east-1', 'eusc-de-east-1.signin.amazonaws-eusc.eu', 'console.amazonaws-eusc.eu'],
  ])('in the partition %s goes to its own console', async (partition, region, signIn, home) => {
    const the = await world(partition);
    const done = await the.console('--print', '--json', '--region', region);
    expect(done.code).toBe(0);
    expect(done.stderr).toMatch(
      /^vouch: Whoever opens this address in the next 15 minutes is Console in 210987654321 until .*\n$/,
    );
    const { address, ...facts } = JSON.parse(done.stdout);
    expect(facts).toEqual({
      profile: 'console',
      role: the.session.roleArn,
      region,
      until: the.session.expiration.toISOString(),
    });
    expect(new URL(address).host).toBe(signIn);
    expect(new URL(address).searchParams.get('Destination')).toBe(`https://${home}/console/home?region=${region}`);
  });

  test('--print prints only the address; --json without it holds no secret', async () => {
    const the = await world();
    expect((await the.console('--print')).stdout).toMatch(/^https:\/\/signin\.aws\.amazon\.com\/federation\?\S+\n$/);
    const done = await the.console('--json');
    expect(JSON.parse(done.stdout)).toEqual({
      profile: 'console',
      role: the.session.roleArn,
      region: null,
      until: the.session.expiration.toISOString(),
    });
  });

  test('what AWS refuses, and what cannot be reached, is said', async () => {
    const the = await world();
    the.aws.now = () => new Date(Date.now() + 2 * 3600_000);
    expect(await the.console()).toEqual({
      code: 5,
      stdout: '',
      stderr: expect.stringMatching(
        /^vouch: AWS's sign-in \(signin\.aws\.amazon\.com\) gave no access to its console\.\n {2}It answered with status 400\.\n/,
      ),
    });
    await the.aws.close();
    const unreachable = await the.console();
    expect(unreachable.code).toBe(4);
    expect(unreachable.stderr).toMatch(/^vouch: AWS's sign-in \(signin\.aws\.amazon\.com\) could not be reached\.\n/);
  });

  test('without a browser, and without a session, says what to do', async () => {
    const the = await world();
    the.env.BROWSER = '/nonexistent';
    const done = await the.console();
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(/^vouch: No browser could be opened here\.\n {2}Run `vouch console --print`/);
    const other = machine();
    setUpProfile(other);
    expect(await run(process.execPath, [program, 'console'], other.env)).toMatchObject({ code: 3, stdout: '' });
  });
});
