import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  agentLogs,
  agentStatus,
  awsCredentials,
  dropSession,
  gitCredentials,
  profileCredentials,
  putSession,
  roleClaims,
} from '../../../cli/agent/client/requests.ts';
import type { NewSession } from '../../../cli/agent/protocol/messages.ts';
import { CodeCommitSigner } from '../../../cli/aws/codecommit/signature.ts';
import {
  gitRequest,
  host,
  json,
  lines,
  type Machine,
  newSession,
  role,
  say,
  setUpChain,
  setUpProfile,
  stsError,
} from '../support.ts';
import { agent, hour, signedIn, viaGit } from './support.ts';

describe('credentials for Git', () => {
  test('come from one token and one STS call, and are the signature of the repository', async () => {
    const the = await signedIn();
    const answer = lines(await viaGit(the));
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await awsCredentials(role, undefined, the.env);
    expect(answer).toEqual({
      ...(await new CodeCommitSigner({ accessKeyId, secretAccessKey, sessionToken }).sign({
        host,
        region: 'us-east-1',
        path: 'v1/repos/demo',
        at: the.clock.now,
      })),
      password_expiry_utc: String(Math.floor((the.clock.now + 15 * 60_000) / 1000)),
    });
    expect(expiration).toBe(new Date(the.clock.now + hour).toISOString());
    expect(lines(await gitCredentials(Buffer.from(gitRequest), the.env))).toEqual(answer);
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([1, 1]);

    const [token, sts] = the.world.calls;
    expect(token).toMatchObject({ authorization: 'DPoP access.token.of-alice', body: JSON.stringify({ role }) });
    expect(Object.fromEntries(sts?.query ?? [])).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: role,
      RoleSessionName: 'alice@example.com',
      WebIdentityToken: 'idtoken.1.x',
      DurationSeconds: '3600',
    });
    expect(sts?.authorization).toBeUndefined();
  });

  test('1,000 that ask at once cause one token and one STS call', async () => {
    const the = await signedIn();
    const answers = await Promise.all(Array.from({ length: 1000 }, () => viaGit(the)));
    expect(new Set(answers).size).toBe(1);
    expect(lines(answers[0] ?? '').password).toMatch(/^\d{8}T\d{6}Z[0-9a-f]{64}$/);
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([1, 1]);
  });

  test('expire no later than what they were made of', async () => {
    const the = await signedIn();
    the.world.expiration = () => the.clock.now + 10 * 60_000;
    expect(lines(await viaGit(the)).password_expiry_utc).toBe(String(Math.floor((the.clock.now + 10 * 60_000) / 1000)));
  });

  test('are asked for in the region of the repository', async () => {
    const the = await signedIn();
    await viaGit(the);
    await viaGit(the, gitRequest.replace('us-east-1', 'eu-central-1'));
    const { credentials } = await agentStatus(the.env);
    expect(credentials.map(({ region }) => region).sort()).toEqual(['eu-central-1', 'us-east-1']);
  });

  test('last no longer than the session where STS lets that be', async () => {
    const the = await signedIn();
    const durations = () => the.world.calls.flatMap(({ query }) => query?.get('DurationSeconds') ?? []);
    the.clock.now += 7 * hour + 30 * 60_000;
    await awsCredentials(role, 'us-east-1', the.env);
    the.clock.now += 20 * 60_000;
    await awsCredentials(role, 'us-east-2', the.env);
    expect(durations()).toEqual(['1800', '900']);
  });

  /** An agent with a session of a day, whose server says how long AWS credentials may last. */
  async function withinADay(sessionSeconds: unknown) {
    const the = await agent();
    await putSession(
      newSession(the.world.url, { expiresAt: new Date(the.clock.now + 24 * hour).toISOString() }),
      the.env,
    );
    the.world.answers.token = (response) => json(response, 200, { token: 'idtoken.1.x', sessionSeconds });
    the.world.expiration = (request) => the.clock.now + Number(request.get('DurationSeconds')) * 1000;
    return { ...the, durations: () => the.world.calls.flatMap(({ query }) => query?.get('DurationSeconds') ?? []) };
  }

  test.each<[string, unknown, string]>([
    ['15 minutes', 900, '900'],
    ['12 hours', 43_200, '43200'],
    ['more than AWS gives', 86_400, '43200'],
    ['less than AWS gives', 60, '900'],
    ['nothing, as an older server does', undefined, '3600'],
    ['text', '900', '3600'],
    ['a number that is not whole', 900.5, '3600'],
  ])(
    'last for as long as the server says, if AWS and the session allow it: %s',
    async (_, sessionSeconds, expected) => {
      const the = await withinADay(sessionSeconds);
      await awsCredentials(role, 'us-east-1', the.env);
      the.clock.now += 23 * hour + 50 * 60_000;
      await awsCredentials(role, 'us-east-1', the.env);
      expect(the.durations()).toEqual([expected, '900']);
    },
  );

  test.each(['The requested DurationSeconds exceeds the MaxSessionDuration', 'words of another year', ''])(
    'last an hour where the role allows no more, and one token is enough to find that out, however AWS says it: %s',
    async (message) => {
      const the = await withinADay(43_200);
      the.world.answers.sts = (response) => {
        delete the.world.answers.sts;
        return stsError('ValidationError', message, 400)(response);
      };
      expect(await awsCredentials(role, 'us-east-1', the.env)).toMatchObject({ accessKeyId: 'ASIAEXAMPLE1' });
      expect(the.durations()).toEqual(['43200', '3600']);
      expect(the.world.count('token')).toBe(1);
    },
  );

  test.each([
    ['for another reason', 43_200, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
    ['even an hour', 3600, 'ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration'],
  ])('are not asked for again where AWS refuses them %s', async (_, sessionSeconds, code, message) => {
    const the = await withinADay(sessionSeconds);
    the.world.answers.sts = stsError(code, message);
    await expect(awsCredentials(role, 'us-east-1', the.env)).rejects.toMatchObject({ kind: 'aws-refused' });
    expect(the.world.count('sts')).toBe(1);
  });

  test.each([
    ['a host that only begins like CodeCommit', gitRequest.replace('amazonaws.com', 'amazonaws.com.evil.example')],
    ['a host that only ends like it', gitRequest.replace('host=', 'host=evil.')],
    ['another host', gitRequest.replace(host, 'github.com')],
    ['http', gitRequest.replace('https', 'http')],
    ['no path', gitRequest.replace('path=v1/repos/demo\n', '')],
    ['a carriage return', gitRequest.replace('\npath', '\r\npath')],
    ['a NUL', gitRequest.replace('\npath', '\0\npath')],
    ['a line of 70,000 bytes', `${gitRequest}other=${'a'.repeat(70_000)}\n`],
    ['more than 1 MiB', `${gitRequest}${'other=aaaaaaaaaaaaaaaaaaaaaa\n'.repeat(50_000)}`],
    ['a line that is not one', `${gitRequest}nonsense\n`],
    ['a role of another partition', gitRequest.replace('us-east-1.amazonaws.com', 'cn-north-1.amazonaws.com.cn')],
    ['a profile that is not there', `${gitRequest}username=nobody\n`],
  ])('are not given for %s', async (_, request) => {
    const the = await signedIn();
    expect(await viaGit(the, request)).toBe('');
    expect(the.world.calls).toEqual([]);
    expect(await viaGit(the)).toContain('password=');
  });

  test.each([
    'action=store\ntimeout=1\n',
    'action=erase\ntimeout=1\n',
    'action=exit\ntimeout=1\n',
    'timeout=1\naction=get\n',
    '',
  ])('are not given for %j', async (action) => {
    const the = await signedIn();
    expect(await say(the.gitSocket, `${action}${gitRequest}`)).toBe('');
    expect(the.world.calls).toEqual([]);
  });

  test('a client that does not finish is cut off, and holds nobody up', async () => {
    const the = await signedIn({ requestTimeout: 300 });
    const slow = say(the.gitSocket, 'action=get\n', { end: false });
    expect(await viaGit(the)).toContain('password=');
    expect(await slow).toBe('');
  });

  test('a client that sends more than 1 MiB is cut off before it ends', async () => {
    const the = await signedIn({ requestTimeout: 3600_000 });
    const endless = `action=get\ntimeout=1\n${gitRequest}${'other=aaaaaaaaaaaaaaaaaaaaaa\n'.repeat(50_000)}`;
    expect(await say(the.gitSocket, endless, { end: false })).toBe('');
    expect(the.world.calls).toEqual([]);
  });

  test('the profile is the one that the URL, the helper or the environment names, in this order', async () => {
    const the = await signedIn();
    for (const name of ['prod', 'test']) setUpProfile(the, name, `${role}-${name}`);
    const environment = 'vouch-aws-profile=vouch\n';
    await viaGit(the, `vouch-profile=test\n${environment}${gitRequest}username=prod\n`);
    await viaGit(the, `vouch-profile=test\n${environment}${gitRequest}`);
    await viaGit(the, `${environment}${gitRequest}`);
    const roles = the.world.calls.flatMap(({ query }) => query?.get('RoleArn') ?? []);
    expect(roles).toEqual([`${role}-prod`, `${role}-test`, role]);
    expect(await viaGit(the)).toBe('');
    await expect(gitCredentials(Buffer.from(gitRequest), the.env)).rejects.toMatchObject({ kind: 'several-profiles' });
  });
});

describe('the answer', () => {
  test('is pre-encoded and not to be stored if Git can take that', async () => {
    const the = await signedIn();
    const plain = lines(await viaGit(the));
    const answer = await viaGit(the, `capability[]=authtype\ncapability[]=state\n${gitRequest}`);
    expect(answer.split('\n')).toEqual([
      'capability[]=authtype',
      'authtype=Basic',
      `credential=${Buffer.from(`${plain.username}:${plain.password}`).toString('base64')}`,
      'ephemeral=1',
      `password_expiry_utc=${plain.password_expiry_utc}`,
      '',
    ]);
    expect(await viaGit(the, `capability[]=state\n${gitRequest}`)).toMatch(/^username=ASIA/);
  });

  test('is in both forms for the script, which chooses by the version of Git', async () => {
    const the = await signedIn();
    const answer = lines(await viaGit(the, `vouch-forms=both\n${gitRequest}`));
    expect(Object.keys(answer)).toEqual([
      ...['capability[]', 'authtype', 'credential', 'ephemeral'],
      ...['username', 'password', 'password_expiry_utc'],
    ]);
    const { credential = '', username, password } = answer;
    expect(Buffer.from(credential, 'base64').toString()).toBe(`${username}:${password}`);
  });
});

describe("the caller's AWS config file", () => {
  const other = (the: Machine, name: string, arn: string) => {
    const file = join(the.folder, name);
    writeFileSync(file, `[default]\ncredential_process = vouch credential aws --role ${arn}\n`);
    return file;
  };

  test('is the one that counts, and not that of the agent’s starter', async () => {
    const the = await signedIn();
    const file = other(the, 'config', `${role}-other`);
    await viaGit(the, `vouch-aws-config=${file}\n${gitRequest}`);
    await profileCredentials('default', {}, { ...the.env, AWS_CONFIG_FILE: file });
    await viaGit(the);
    expect(the.world.calls.flatMap(({ query }) => query?.get('RoleArn') ?? [])).toEqual([`${role}-other`, role]);
    await expect(profileCredentials('default', {}, the.env)).rejects.toMatchObject({ kind: 'unknown-profile' });
  });

  test('of any number of callers: none gets the role of another', async () => {
    const the = await signedIn();
    const files = Array.from({ length: 40 }, (_, n) => other(the, `config-${n}`, `${role}-${n}`));
    const asked = [...files, ...files.reverse()];
    const answers = await Promise.all(asked.map((file) => viaGit(the, `vouch-aws-config=${file}\n${gitRequest}`)));
    const users = new Map<string | undefined, Set<string>>();
    asked.forEach((file, n) => {
      const { username } = lines(answers[n] ?? '');
      users.set(username, (users.get(username) ?? new Set()).add(file));
    });
    expect(users.size).toBe(40);
    for (const [username, its] of users) expect([username, its.size]).toEqual([expect.stringMatching(/^ASIA/), 1]);
  });

  test.each(['none', 'run', '/dev/zero'])('may be %s, which holds no profile', async (name) => {
    const the = await signedIn();
    const request = Buffer.from(`vouch-aws-config=${resolve(the.folder, name)}\n${gitRequest}`);
    await expect(gitCredentials(request, the.env)).rejects.toMatchObject({ kind: 'no-profile' });
    expect(the.world.calls).toEqual([]);
  });

  test('may not be named by a relative path', async () => {
    const the = await signedIn();
    expect(await viaGit(the, `vouch-aws-config=.aws/config\n${gitRequest}`)).toBe('');
    const file = join(the.env.HOME ?? '', '.aws/config');
    const ask = (config: string) =>
      say(
        the.agentSocket,
        `GET /credentials?profile=vouch&config=${encodeURIComponent(config)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        { end: false },
      );
    // From the agent's own folder it would lead to that very file.
    const asIfThere = relative(process.cwd(), file);
    for (const config of [asIfThere, 'x', '', `${file}\0`]) {
      const refused = await ask(config);
      expect([config, refused]).toEqual([
        config,
        expect.stringMatching(/^HTTP\/1\.1 400 [\s\S]*did not understand the request/),
      ]);
    }
    expect(the.world.calls).toEqual([]);
    expect(await ask(file)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a chained role', () => {
  const team = 'arn:aws:iam::210987654321:role/Team';
  const asked = (the: { world: { calls: { query?: URLSearchParams }[] } }) =>
    the.world.calls.flatMap(({ query }) => (query?.has('RoleArn') ? [Object.fromEntries(query)] : []));

  test('is assumed with the credentials of the one before it, in the same region', async () => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', team);
    setUpChain(the, 'deep', 'team', `${team}2`, 'external_id = x/1\nrole_session_name = ci\nduration_seconds = 1200');
    const { username } = lines(await viaGit(the, `${gitRequest}username=deep\n`));
    expect(asked(the)).toEqual([
      expect.objectContaining({ Action: 'AssumeRoleWithWebIdentity', RoleArn: role, DurationSeconds: '3600' }),
      {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: team,
        RoleSessionName: 'alice@example.com',
        DurationSeconds: '3600',
      },
      {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: `${team}2`,
        RoleSessionName: 'ci',
        ExternalId: 'x/1',
        DurationSeconds: '1200',
      },
    ]);
    // Each call is signed by the role before it, for the repository's region.
    const signers = the.world.calls.filter(({ what }) => what === 'sts').map(({ authorization }) => authorization);
    expect(signers).toEqual([
      undefined,
      expect.stringMatching(/Credential=ASIAEXAMPLE2\/\d{8}\/us-east-1\/sts\//),
      expect.stringMatching(/Credential=ASIAEXAMPLE3\/\d{8}\/us-east-1\/sts\//),
    ]);
    expect(username).toMatch(/^ASIAEXAMPLE4%/);
    // The credentials of each role on the way are in the cache now.
    for (const name of ['vouch', 'team', 'deep']) await viaGit(the, `${gitRequest}username=${name}\n`);
    expect(the.world.count('sts')).toBe(3);
    expect(the.world.count('token')).toBe(1);
  });

  test('is asked for once, however many wait for it, and mixed with no other', async () => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', team);
    setUpChain(the, 'guest', 'vouch', team, 'external_id = guest');
    setUpChain(the, 'named', 'vouch', team, 'role_session_name = named');
    const names = ['vouch', 'team', 'guest', 'named'];
    const requests = Array.from({ length: 400 }, (_, n) => names[n % 4]);
    const answers = await Promise.all(requests.map((name) => viaGit(the, `${gitRequest}username=${name}\n`)));
    const users = names.map((_, n) => new Set(answers.filter((_, i) => i % 4 === n).map((a) => lines(a).username)));
    expect(users.map(({ size }) => size)).toEqual([1, 1, 1, 1]);
    expect(new Set(users.flatMap((one) => [...one])).size).toBe(4);
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([1, 4]);
  });

  test('lasts no longer than the session where STS lets that be', async () => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', team, 'duration_seconds = 43200');
    setUpChain(the, 'short', 'vouch', team, 'duration_seconds = 60');
    await profileCredentials('team', { region: 'us-east-1' }, the.env);
    await profileCredentials('short', { region: 'us-east-1' }, the.env);
    the.clock.now += 7 * hour + 30 * 60_000;
    await profileCredentials('team', { region: 'us-east-1' }, the.env);
    const durations = asked(the).map(({ Action, DurationSeconds }) => `${Action} ${DurationSeconds}`);
    expect(durations).toEqual([
      'AssumeRoleWithWebIdentity 3600',
      'AssumeRole 3600',
      'AssumeRole 900',
      'AssumeRoleWithWebIdentity 1800',
      'AssumeRole 1800',
    ]);
  });

  test.each([
    [900, '900', '900'],
    [7200, '7200', '3600'],
  ])(
    'lasts no longer than the server allows (%s s), and never more than an hour',
    async (sessionSeconds, first, second) => {
      const the = await signedIn();
      the.world.answers.token = (response) => json(response, 200, { token: 'idtoken.1.x', sessionSeconds });
      setUpChain(the, 'team', 'vouch', team);
      await profileCredentials('team', { region: 'us-east-1' }, the.env);
      expect(asked(the).map(({ DurationSeconds }) => DurationSeconds)).toEqual([first, second]);
    },
  );

  test('is not asked for across partitions, nor for a repository of another', async () => {
    const the = await signedIn();
    const china = 'arn:aws-cn:iam::210987654321:role/Team';
    setUpChain(the, 'team', 'vouch', team);
    setUpChain(the, 'china', 'vouch', china);
    const reason = (request: string) => gitCredentials(Buffer.from(request), the.env);
    const inChina = gitRequest.replace('us-east-1.amazonaws.com', 'cn-north-1.amazonaws.com.cn');
    await expect(reason(`${inChina}username=china\n`)).rejects.toMatchObject({
      kind: 'partition',
      what: expect.stringContaining(china),
      why: expect.stringMatching(/aws-cn.*aws\b/),
    });
    await expect(reason(`${inChina}username=team\n`)).rejects.toMatchObject({
      kind: 'partition',
      what: expect.stringMatching(/"team".*cn-north-1/),
      why: expect.stringMatching(/partition aws, .* in aws-cn\./),
    });
    expect(the.world.calls).toEqual([]);
  });

  test.each([
    ['AssumeRole', /may not assume it, its trust policy/],
    ['TagSession', /missing is sts:TagSession/],
    ['SetSourceIdentity', /missing is sts:SetSourceIdentity/],
  ])('that is refused for want of sts:%s says which one, to whom, and what to allow', async (action, why) => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', team);
    await awsCredentials(role, 'us-east-1', the.env);
    const principal = 'arn:aws:sts::123456789012:assumed-role/VouchDeveloper/alice@example.com';
    the.world.answers.sts = stsError(
      'AccessDenied',
      `User: ${principal} is not authorized to perform: sts:${action} on resource: ${team}`,
    );
    await expect(gitCredentials(Buffer.from(`${gitRequest}username=team\n`), the.env)).rejects.toMatchObject({
      kind: 'aws-refused',
      exitCode: 5,
      what: `AWS refused the role ${team} to ${principal}.`,
      why: expect.stringMatching(why),
      fix: expect.stringMatching(
        /sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity.*VouchDeveloper.*trust policy of .*Team/,
      ),
    });
  });

  test('reports the first role when that one is refused', async () => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', team);
    the.world.answers.sts = stsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
    await expect(profileCredentials('team', {}, the.env)).rejects.toMatchObject({
      what: `AWS refused the role ${role}.`,
    });
    expect(the.world.count('sts')).toBe(1);
  });

  test('is forgotten with the session', async () => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', team);
    const before = await profileCredentials('team', {}, the.env);
    const expiresAt = new Date(the.clock.now + hour).toISOString();
    await putSession(newSession(the.world.url, { email: 'bob@example.com', expiresAt }), the.env);
    const after = await profileCredentials('team', {}, the.env);
    expect(after.accessKeyId).not.toBe(before.accessKeyId);
    expect(asked(the).map(({ RoleSessionName }) => RoleSessionName)).toEqual([
      'alice@example.com',
      'alice@example.com',
      'bob@example.com',
      'bob@example.com',
    ]);
  });
});

describe("a profile's credentials", () => {
  test('come from memory, or fresh all the way when that is asked for', async () => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', `${role}-team`);
    const [first, second, fresh] = [
      await profileCredentials('team', {}, the.env),
      await profileCredentials('team', {}, the.env),
      await profileCredentials('team', { fresh: true }, the.env),
    ];
    expect(second).toEqual(first);
    expect(fresh.accessKeyId).not.toBe(first.accessKeyId);
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([2, 4]);
    // The credentials of that request are in the cache now.
    expect(await profileCredentials('team', {}, the.env)).toEqual(fresh);
  });

  test.each(['nobody', ''])('are not given for the profile %j', async (name) => {
    const the = await signedIn();
    setUpProfile(the, 'prod', `${role}-prod`);
    const kind = name === '' ? 'bad-request' : 'unknown-profile';
    await expect(profileCredentials(name, {}, the.env)).rejects.toMatchObject({ kind });
    expect(the.world.calls).toEqual([]);
  });
});

describe("a role's claims", () => {
  const claims = { iss: 'https://vouch.example.com', sub: 'alice@example.com', 'https://aws.amazon.com/roles': [role] };
  const header = { alg: 'ES256', kid: 'key-1' };
  const [head, body] = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const token = `${head}.${body}.signature`;

  test('are those of a fresh ID token for that role, without the token', async () => {
    const the = await signedIn();
    the.world.answers.token = (response) => json(response, 200, { token });
    expect(await roleClaims(role, the.env)).toEqual({ claims, keyId: 'key-1' });
    expect(await roleClaims(role, the.env)).toEqual({ claims, keyId: 'key-1' });
    expect(the.world.calls.map(({ what, body }) => [what, body])).toEqual([
      ['token', JSON.stringify({ role })],
      ['token', JSON.stringify({ role })],
    ]);
  });

  test('need a session and a role', async () => {
    const the = await agent();
    await expect(roleClaims(role, the.env)).rejects.toMatchObject({ kind: 'no-session', exitCode: 3 });
    await expect(roleClaims('nonsense', the.env)).rejects.toMatchObject({ kind: 'bad-request' });
  });

  test('that cannot be read are the server’s failure, reported without the token', async () => {
    const the = await signedIn();
    the.world.answers.token = (response) => json(response, 200, { token: 'do-not-tell' });
    const problem = await roleClaims(role, the.env).catch((error) => error);
    expect(problem).toMatchObject({ kind: 'server-unreachable', exitCode: 4 });
    expect(problem.lines().join()).not.toContain('do-not-tell');
  });
});

describe('refusals', () => {
  test("STS's is put in words, and not remembered", async () => {
    const the = await signedIn();
    the.world.answers.sts = stsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
    await expect(awsCredentials(role, 'us-east-1', the.env)).rejects.toMatchObject({
      kind: 'aws-refused',
      exitCode: 5,
      what: `AWS refused the role ${role}.`,
      fix: expect.stringContaining('sts:RoleSessionName'),
    });
    expect(the.world.count('sts')).toBe(1);
    the.world.answers = {};
    expect(await viaGit(the)).toContain('password=');
  });

  test('an STS that cannot be reached is exit code 4', async () => {
    const the = await signedIn();
    the.env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'aws-unreachable',
      exitCode: 4,
      why: expect.stringContaining('the connection was refused'),
    });
  });

  test('the helper gets the reason why its quick request failed, without another try; the next request is a real one', async () => {
    const the = await signedIn();
    the.world.answers.sts = stsError('AccessDenied', 'no');
    const reason = () => gitCredentials(Buffer.from(gitRequest), the.env).catch((error) => error.kind);
    expect(await viaGit(the)).toBe('');
    expect(await reason()).toBe('aws-refused');
    expect(the.world.count('sts')).toBe(1);
    expect(await reason()).toBe('aws-refused');
    expect(the.world.count('sts')).toBe(2);
    expect(await viaGit(the)).toBe('');
    the.world.answers = {};
    expect(await viaGit(the)).toContain('password=');
  });

  test.each([
    ['cut off', '<AssumeRoleWithWebIdentityResponse><SecretAccessKey>do-not-tell'],
    ['half a session', '<AssumeRoleWithWebIdentityResponse><x>do-not-tell</x></AssumeRoleWithWebIdentityResponse>'],
  ])('an answer of STS that is %s is not quoted', async (_, body) => {
    const the = await signedIn();
    the.world.answers.sts = (response) => response.writeHead(200, { 'content-type': 'text/xml' }).end(body);
    const problem = await awsCredentials(role, undefined, the.env).catch((error) => error);
    expect(problem).toMatchObject({ kind: 'aws-unreachable', exitCode: 4 });
    expect(problem.lines().join()).not.toContain('do-not-tell');
  });

  test('a connection that STS cuts is not called a time-out', async () => {
    const the = await signedIn();
    the.world.answers.sts = (response) => response.destroy();
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ why: 'The connection was cut.' });
  });

  test('an STS that answers garbage is exit code 4', async () => {
    const the = await signedIn();
    the.world.answers.sts = (response) => response.end('<html>welcome to the hotel');
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'aws-unreachable',
      exitCode: 4,
    });
  });

  test('a server that cannot be reached is exit code 4, and the session stays', async () => {
    const the = await agent();
    await putSession(
      newSession('http://127.0.0.1:1', { expiresAt: new Date(the.clock.now + hour).toISOString() }),
      the.env,
    );
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'server-unreachable',
      exitCode: 4,
    });
    expect((await agentStatus(the.env)).session).not.toBeNull();
  });

  test.each([
    [500, 'internal-error', 'server-unreachable', 4],
    [429, 'too-many-requests', 'server-unreachable', 4],
    [403, 'role-refused', 'role-refused', 5],
  ])("the server's %i %s is %s, exit code %i", async (status, type, kind, exitCode) => {
    const the = await signedIn();
    the.world.answers.token = (response) =>
      json(response, status, { type: `urn:vouch:problem:${type}`, title: 'No.\u001b[2J' });
    const problem = await awsCredentials(role, undefined, the.env).catch((error) => error);
    expect(problem).toMatchObject({ kind, exitCode });
    expect(problem.why).toMatch(/: No\. \[2J$/);
    expect((await agentStatus(the.env)).session).not.toBeNull();
  });

  test('a proof that was refused because the clock is wrong leaves the session, and says so', async () => {
    const the = await signedIn();
    const refuse = (date: number) => {
      the.world.answers.token = (response) =>
        json(
          response,
          401,
          { type: 'urn:vouch:problem:token-refused', title: 'No.' },
          { 'www-authenticate': 'DPoP error="invalid_token"', date: new Date(date).toUTCString() },
        );
    };
    refuse(Date.now() - 10 * 60_000);
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'clock-skew',
      what: "The clock of this machine is 10 minutes ahead of the server's.",
      exitCode: 5,
    });
    refuse(Date.now() + 10 * 60_000);
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      what: "The clock of this machine is 10 minutes behind the server's.",
    });
    delete the.world.answers.token;
    expect((await awsCredentials(role, undefined, the.env)).accessKeyId).toBeDefined();
  });

  test.each([
    ['session-over', {}],
    ['token-refused', { 'www-authenticate': 'DPoP error="invalid_token"' }],
  ])('%s from the server drops the session and all that came of it', async (type, headers) => {
    const the = await signedIn();
    await viaGit(the);
    the.world.answers.token = (response) =>
      json(response, 401, { type: `urn:vouch:problem:${type}`, title: 'The session was revoked' }, headers);
    await expect(awsCredentials(role, 'eu-west-1', the.env)).rejects.toMatchObject({
      kind: 'session-over',
      exitCode: 3,
    });
    expect(await viaGit(the)).toBe('');
    expect(await agentStatus(the.env)).toMatchObject({ session: null, credentials: [] });
    await expect(gitCredentials(Buffer.from(gitRequest), the.env)).rejects.toMatchObject({
      exitCode: 3,
      why: expect.stringContaining('The session was revoked'),
    });
  });

  test('a nonce that the server asks for is put into the proof', async () => {
    const the = await signedIn();
    the.world.answers.token = (response) => {
      the.world.answers = {};
      json(response, 401, {}, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n-1' });
    };
    expect(await viaGit(the)).toContain('password=');
    expect(the.world.count('token')).toBe(2);
  });

  test('one nonce after the other does not end the session', async () => {
    const the = await signedIn();
    the.world.answers.token = (response) =>
      json(response, 401, {}, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n' });
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'server-unreachable',
      exitCode: 4,
    });
    the.world.answers = {};
    expect(await viaGit(the)).toContain('password=');
  });
});

describe('the session', () => {
  test('ends at its end, by the clock at the moment of use', async () => {
    const the = await signedIn();
    await viaGit(the);
    the.world.expiration = () => the.clock.now + 9 * hour;
    the.clock.now += 8 * hour - 1;
    expect(await viaGit(the)).toContain('password=');
    the.clock.now += 1;
    expect(await viaGit(the)).toBe('');
    expect(await agentStatus(the.env)).toMatchObject({ session: null, credentials: [] });
    const clock = new Date(the.clock.now).toTimeString().slice(0, 5);
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'session-over',
      what: `Your session ended at ${clock}.`,
      exitCode: 3,
    });
    expect(the.world.count('sts')).toBe(2);
  });

  test('what an earlier one was waiting for never reaches a later one', async () => {
    const the = await signedIn();
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    the.world.answers.token = async (response) => {
      the.world.answers = {};
      wasAsked();
      await released;
      json(response, 200, { token: 'idtoken.of.old-session' });
    };
    const waiting = viaGit(the);
    await asked;
    await putSession(
      newSession(the.world.url, {
        accessToken: 'access.token.of-bob',
        email: 'bob@example.com',
        expiresAt: new Date(the.clock.now + hour).toISOString(),
      }),
      the.env,
    );
    release();
    expect(await waiting).toContain('password=');
    const used = the.world.calls.filter(({ what }) => what === 'sts').map(({ query }) => query?.get('RoleSessionName'));
    expect(used).toEqual(['bob@example.com']);
  });

  test('a new one replaces the earlier one and drops its credentials', async () => {
    const the = await signedIn();
    await viaGit(the);
    await putSession(
      newSession(the.world.url, { email: 'bob@example.com', expiresAt: new Date(the.clock.now + hour).toISOString() }),
      the.env,
    );
    expect(await agentStatus(the.env)).toMatchObject({ session: { email: 'bob@example.com' }, credentials: [] });
  });

  test('the earlier one is revoked at the server, but not one that is handed over twice', async () => {
    const the = await agent();
    const ended = async () => (await agentLogs(0, the.env)).entries.filter(({ event }) => event === 'ended');
    const [first, second] = ['first', 'second'].map((accessToken) => newSession(the.world.url, { accessToken }));
    for (const session of [first, second, second]) await putSession(session as NewSession, the.env);
    await expect
      .poll(ended, { timeout: 20_000 })
      .toMatchObject([{ message: 'the server has revoked the session before' }]);
    const revoked = the.world.calls.filter(({ what }) => what === 'revoke');
    expect(revoked.map(({ authorization }) => authorization)).toEqual(['DPoP first']);
    expect(await viaGit(the)).toContain('password=');
  });

  test('logging out revokes it at the server, and ends the agent', async () => {
    const the = await signedIn();
    await viaGit(the);
    expect(await dropSession(the.env)).toEqual({ revoked: true });
    expect(the.world.count('revoke')).toBe(1);
    await the.running.ended;
    await expect(agentStatus(the.env)).rejects.toMatchObject({ kind: 'agent-not-running', exitCode: 3 });
  });

  test('logging out with the server down drops it all the same, and says that it was not revoked', async () => {
    const the = await signedIn();
    the.world.answers.revoke = (response) => response.writeHead(503).end();
    expect(await dropSession(the.env)).toEqual({
      revoked: false,
      reason: expect.stringContaining('could not be reached'),
    });
    await the.running.ended;
  });

  test('logging out of a session that the server had ended already is not a failure', async () => {
    const the = await signedIn();
    the.world.answers.revoke = (response) => json(response, 401, { type: 'urn:vouch:problem:session-over' });
    expect(await dropSession(the.env)).toEqual({ revoked: true });
    await the.running.ended;
  });

  test('logging out while Git waits gives Git nothing', async () => {
    const the = await signedIn();
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
    the.world.answers.token = () => wasAsked();
    const waiting = viaGit(the);
    await asked;
    await dropSession(the.env);
    expect(await waiting).toBe('');
  });

  test.each([
    ['an issuer without TLS', { issuer: 'http://vouch.example.com' }],
    ['an issuer with a query', { issuer: 'https://vouch.example.com/?x' }],
    ['a token that would break a header', { accessToken: 'a\r\nb' }],
    ['an address that is not a session name', { email: 'a b@example.com' }],
    ['no key', { dpopKey: {} }],
    ['a public key', { dpopKey: { ...newSession('').dpopKey, d: undefined } }],
    ['an end in the past', { expiresAt: new Date(0).toISOString() }],
    ['an end that is not a time', { expiresAt: 'tomorrow' }],
  ])('is refused with %s', async (_, changes) => {
    const the = await agent();
    await expect(putSession(newSession(the.world.url, changes as object), the.env)).rejects.toMatchObject({
      kind: 'bad-request',
    });
    expect((await agentStatus(the.env)).session).toBeNull();
  });

  test('is reported without a secret', async () => {
    const the = await signedIn();
    await viaGit(the);
    const status = await agentStatus(the.env);
    expect(status).toMatchObject({
      pid: process.pid,
      session: {
        issuer: the.world.url,
        email: 'alice@example.com',
        key: { name: 'Work key', model: 'YubiKey 5C NFC' },
      },
      credentials: [{ role, region: 'us-east-1', expiresAt: new Date(the.clock.now + hour).toISOString() }],
    });
    expect(JSON.stringify(status)).not.toMatch(/access\.token|secret|sessiontoken|ASIA/);
  });

  test('none: the agent reports that, and ends after 10 minutes', async () => {
    const the = await agent({ interval: 5 });
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ kind: 'no-session', exitCode: 3 });
    the.clock.now += 10 * 60_000;
    await the.running.ended;
  });
});

describe('agent.sock', () => {
  test('refuses a body of more than 64 KiB', async () => {
    const the = await agent();
    await expect(gitCredentials(Buffer.alloc(65 * 1024, 'a'), the.env)).rejects.toMatchObject({ kind: 'bad-request' });
    expect((await agentStatus(the.env)).session).toBeNull();
  });

  test.each(['role=x', `role=${role}&region=nowhere`])('refuses %s', async (query) => {
    const the = await signedIn();
    const answer = await say(
      the.agentSocket,
      `GET /credentials?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*urn:vouch:problem:bad-request/s);
  });

  test('has no other paths', async () => {
    const the = await agent();
    const answer = await say(the.agentSocket, 'GET /session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('survives garbage', async () => {
    const the = await agent();
    for (const socket of [the.agentSocket, the.gitSocket]) await say(socket, Buffer.from([0, 255, 10, 13, 0, 1, 2]));
    expect((await agentStatus(the.env)).session).toBeNull();
  });
});
