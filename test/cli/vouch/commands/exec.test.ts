import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signedIn } from '../../agent/support.ts';
import { machine, root, run, setUpProfile, stsError } from '../../support.ts';

const program = join(root, 'cli/vouch/main.ts');
const prod = 'arn:aws-cn:iam::210987654321:role/Prod';

/** Runs `vouch exec …`, with the test's own Node. */
const exec = (env: NodeJS.ProcessEnv, ...args: string[]) => run(process.execPath, [program, 'exec', ...args], env);

/** The AWS variables that the program gets. */
async function variables(env: NodeJS.ProcessEnv, ...options: string[]) {
  const { code, stdout, stderr } = await exec(env, '--quiet', ...options, '--', 'env');
  const own = stdout.split('\n').filter((line) => line.startsWith('AWS_') && !line.startsWith('AWS_ENDPOINT_URL'));
  return { code, stderr, aws: Object.fromEntries(own.map((line) => line.split(/=(.*)/s).slice(0, 2))) };
}

test('a program gets credentials, and nothing that would lead it to others', async () => {
  const the = await signedIn();
  const callers = {
    AWS_ACCESS_KEY_ID: 'AKIAOLD',
    AWS_SECRET_ACCESS_KEY: 'old',
    AWS_SECURITY_TOKEN: 'old',
    AWS_PROFILE: 'vouch',
    AWS_DEFAULT_PROFILE: 'other',
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/Other',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/',
    AWS_DEFAULT_REGION: 'cn-north-1',
    AWS_PAGER: 'less',
  };
  expect(await variables({ ...the.env, ...callers })).toEqual({
    code: 0,
    stderr: '',
    aws: {
      AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE2',
      AWS_SECRET_ACCESS_KEY: 'secret/of+2',
      AWS_SESSION_TOKEN: 'sessiontoken/of+2==',
      AWS_CREDENTIAL_EXPIRATION: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      AWS_PAGER: 'less',
    },
  });
});

test('the region is the one that is named, or the caller’s if it fits the role, or the profile’s', async () => {
  const the = await signedIn();
  setUpProfile(the, 'prod', `${prod}\nregion = cn-northwest-1`);
  const regions = async (env: NodeJS.ProcessEnv, ...options: string[]) => {
    const { aws } = await variables({ ...the.env, ...env }, '--profile', 'prod', ...options);
    expect(aws.AWS_DEFAULT_REGION).toBe(aws.AWS_REGION);
    return aws.AWS_REGION;
  };
  expect(await regions({})).toBe('cn-northwest-1');
  expect(await regions({ AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'cn-north-1' })).toBe('cn-north-1');
  expect(await regions({ AWS_REGION: 'cn-north-1' }, '--region', 'cn-northwest-1')).toBe('cn-northwest-1');
  const refused = await exec(the.env, '--profile', 'prod', '--region', 'us-east-1', '--', 'echo', 'ran');
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('look like cn-north-1') });
});

test('which profile is meant must be clear', async () => {
  const the = await signedIn();
  setUpProfile(the, 'prod', prod);
  const refused = async (env: NodeJS.ProcessEnv, ...options: string[]) => {
    const { code, stdout, stderr } = await exec({ ...the.env, ...env }, ...options, 'echo', 'ran');
    expect([code, stdout]).toEqual([1, '']);
    return stderr;
  };
  expect(await refused({})).toMatch(/^vouch: Several AWS profiles could be meant\.\n.*\n.*`--profile vouch`/);
  expect(await refused({ AWS_PROFILE: 'sso' })).toMatch(
    /^vouch: Vouch has no AWS profile "sso", which AWS_PROFILE names/,
  );
  expect(await refused({ AWS_PROFILE: 'prod' }, '--profile', 'x y')).toMatch(
    /^vouch: Vouch has no AWS profile "x y"\.\n/,
  );
  expect((await exec({ ...the.env, AWS_PROFILE: 'prod' }, 'echo', 'ran')).stdout).toBe('ran\n');
});

test('one line warns that these are secrets, whose, and until when', async () => {
  const the = await signedIn();
  const { code, stdout, stderr } = await exec(the.env, 'sh', '-c', 'echo out; echo err >&2; exit 7');
  expect([code, stdout]).toEqual([7, 'out\n']);
  expect(stderr).toMatch(
    /^vouch: The environment of sh holds secrets until .*\d\d:\d\d: credentials for VouchDeveloper in 123456789012\.\nerr\n$/,
  );
});

test('options after the program’s name are the program’s', async () => {
  const the = await signedIn();
  const args = ['echo', '--quiet', '--profile', 'x', '--', '-q', '--help'];
  expect((await exec(the.env, '-q', ...args)).stdout).toBe('--quiet --profile x -- -q --help\n');
  expect((await exec(the.env, '-q', '--', ...args)).stdout).toBe('--quiet --profile x -- -q --help\n');
});

test('without a session, and without a program, nothing runs', async () => {
  const the = machine();
  setUpProfile(the);
  expect(await exec(the.env, 'echo', 'ran')).toMatchObject({ code: 3, stdout: '' });
  expect(await exec(the.env)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining("'program'") });
});

test('credentials that end soon are renewed first, because nobody renews them in an environment', async () => {
  const the = await signedIn();
  let minutes = 15;
  the.world.expiration = () => Date.now() + minutes * 60_000;
  const first = await variables(the.env);
  expect(first.aws.AWS_ACCESS_KEY_ID).toBe('ASIAEXAMPLE4');
  minutes = 60;
  expect((await variables(the.env)).aws.AWS_ACCESS_KEY_ID).toBe('ASIAEXAMPLE6');
  expect((await variables(the.env)).aws.AWS_ACCESS_KEY_ID).toBe('ASIAEXAMPLE6');
  // If there are no new ones, the old ones are better than nothing.
  minutes = 15;
  const other = await signedIn();
  other.world.expiration = () => Date.now() + 15 * 60_000;
  await variables(other.env);
  other.world.answers.sts = stsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  expect(await variables(other.env)).toMatchObject({ code: 0, aws: { AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE4' } });
});
