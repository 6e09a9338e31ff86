import { expect, onTestFinished, test, vi } from 'vitest';
import { agentLogs, agentStatus, awsCredentials, profileCredentials } from '../../../../cli/agent/client/requests.ts';
import { Log } from '../../../../cli/agent/log.ts';
import { importAccess } from '../../../../cli/agent/session/access-token.ts';
import { HeldCredentials } from '../../../../cli/agent/session/held-credentials.ts';
import { Session } from '../../../../cli/agent/session/session.ts';
import { usualTimeouts } from '../../../../cli/agent/session/timeouts.ts';
import { CodeCommitSigner } from '../../../../cli/aws/codecommit/signature.ts';
import { parseRoleArn, type RoleArn } from '../../../../cli/aws/role-arn.ts';
import { gitRequest, newSession, role, services, setUpChain } from '../../support.ts';
import { hour, signedIn } from '../support.ts';

/** A session may end while a request is under way: what comes of that request is neither kept nor given out. */

test('what STS answers when the session has ended meanwhile is not kept', async () => {
  const world = await services();
  const clock = { now: Date.now() };
  const details = newSession(world.url);
  const session = new Session(
    { access: await importAccess(details), email: details.email, key: details.key, expiresAt: clock.now + hour },
    {
      clocks: { now: () => clock.now, uptime: () => 0 },
      timeouts: usualTimeouts,
      log: new Log(),
      env: { AWS_ENDPOINT_URL_STS: world.url },
      onRefused: () => {},
    },
  );
  world.expiration = () => {
    clock.now += 2 * hour;
    return clock.now + hour;
  };
  const chain = { role: parseRoleArn(role) as RoleArn };
  await expect(session.credentials(chain)).rejects.toMatchObject({ kind: 'session-over', exitCode: 3 });
  expect(session.cached()).toEqual([]);
  expect(world.count('sts')).toBe(1);
});

test('what was at hand is not given out when the session ends just then', async () => {
  const the = await signedIn();
  const secrets = await awsCredentials(role, undefined, the.env);
  const use = vi.spyOn(Session.prototype, 'credentials').mockImplementation(async () => {
    the.clock.now += 9 * hour;
    const expiration = the.clock.now + hour;
    return new HeldCredentials({ ...secrets, expiration }, { now: () => the.clock.now, uptime: () => 0 });
  });
  onTestFinished(() => use.mockRestore());
  await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ kind: 'session-over', exitCode: 3 });
});

test('a signature that is under way at a logout is given to nobody', async () => {
  const the = await signedIn();
  const sign = CodeCommitSigner.prototype.sign;
  const signing = vi.spyOn(CodeCommitSigner.prototype, 'sign').mockImplementation(async function (
    this: CodeCommitSigner,
    request,
  ) {
    const signed = await sign.call(this, request);
    await the.running.agent.logOut();
    return signed;
  });
  onTestFinished(() => signing.mockRestore());
  const asking = the.running.codecommit.answer(Buffer.from(gitRequest));
  await expect(asking).rejects.toMatchObject({ kind: 'no-session', exitCode: 3 });
  expect(signing).toHaveBeenCalledTimes(1);
});

test('a signer that is dropped while it derives its key keeps none', async () => {
  let reads = 0;
  const signer = new CodeCommitSigner({
    accessKeyId: 'ASIAEXAMPLE',
    get secretAccessKey() {
      reads++;
      return 'secret';
    },
  });
  const request = { host: 'git-codecommit.us-east-1.amazonaws.com', region: 'us-east-1', path: 'v1/repos/x', at: 0 };
  const signing = signer.sign(request);
  signer.drop();
  const { password } = await signing;
  const before = reads;
  // A kept key would make the secret unnecessary.
  expect((await signer.sign(request)).password).toBe(password);
  expect(reads).toBe(before + 1);
});

test('the proof key cannot be taken out again', async () => {
  const { proofKey } = await importAccess(newSession('https://vouch.example.com'));
  expect(proofKey.privateKey).toMatchObject({ extractable: false, usages: ['sign'] });
  for (const format of ['jwk', 'pkcs8'] as const) {
    await expect(crypto.subtle.exportKey(format, proofKey.privateKey)).rejects.toThrow();
  }
});

test('credentials from STS that have already ended are refused, a chained role’s too', async () => {
  const the = await signedIn();
  const over = {
    kind: 'aws-unreachable',
    exitCode: 4,
    why: expect.stringContaining('They ended at 2001-01-01T00:00:00.000Z'),
  };
  the.world.expiration = () => Date.parse('2001-01-01');
  await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject(over);
  // To the very millisecond.
  the.world.expiration = () => the.clock.now;
  await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ kind: 'aws-unreachable' });
  const target = 'arn:aws:iam::210987654321:role/Target';
  setUpChain(the, 'chained', 'vouch', target);
  the.world.expiration = (asked) =>
    asked.get('Action') === 'AssumeRole' ? Date.parse('2001-01-01') : the.clock.now + hour;
  await expect(profileCredentials('chained', {}, the.env)).rejects.toMatchObject({
    ...over,
    what: expect.stringContaining(target),
  });
  expect((await agentStatus(the.env)).credentials.map(({ role }) => role)).toEqual([role]);
  const { entries } = await agentLogs(0, the.env);
  expect(entries.filter(({ event }) => event === 'credentials')).toHaveLength(1);
});
