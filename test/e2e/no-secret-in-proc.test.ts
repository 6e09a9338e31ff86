import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { run } from '../support/run.ts';
import { watchProcesses } from '../support/watch-processes.ts';

let sandbox: Sandbox;
const roles = { vouch: '', prod: '' };

beforeAll(async () => {
  sandbox = await startSandbox();
  roles.vouch = sandbox.roleArn;
  roles.prod = (await sandbox.addAccount('222222222222', { profile: 'prod' })).role.arn;
  // Writes the profiles' names into Git's configuration.
  await sandbox.succeed('vouch', ['setup', 'codecommit']);
  await sandbox.succeed('vouch', ['login']);
});
afterAll(() => sandbox?.close());

/**
 * Each push is the first with its role, so that the agent calls STS while the credential helper waits, and it goes through every
 * program on the way. It is larger than http.postBuffer, so that Git sends it in pieces, after a probe.
 */
describe.sequential('while Git pushes, no process has a secret in its arguments or its environment', () => {
  test.each([
    ['codecommit::us-east-1://vouch@demo', 'vouch', ['remote-https', 'git-credential-vouch']],
    [
      'https://prod@git-codecommit.us-east-1.amazonaws.com/v1/repos/demo',
      'prod',
      ['remote-https', 'git-credential-vouch'],
    ],
  ] as const)('%s', async (url, profile, programs) => {
    const work = join(sandbox.home, profile);
    await sandbox.succeed('git', ['init', work]);
    writeFileSync(join(work, 'data'), randomBytes(3 * 1024 * 1024));
    await sandbox.succeed('git', ['add', 'data'], { cwd: work });
    await sandbox.succeed('git', ['commit', '--quiet', '-m', 'data'], { cwd: work });

    const watch = watchProcesses(sandbox.folder);
    const lines: string[] = [];
    const asked: string[] = [];
    sandbox.aws.intercept = async ({ action }) => {
      asked.push(action);
      await watch.look();
      // The same with `ps`, as a person would look; not every machine has it.
      const seen = await run('ps', ['-efww'], { env: sandbox.env }).catch(() => undefined);
      if (seen) lines.push(...seen.stdout.split('\n'));
      return false;
    };
    await sandbox.succeed('git', ['push', url, 'HEAD:main'], { cwd: work });
    sandbox.aws.intercept = undefined;
    const { looks, argumentLists, environments, pids } = await watch.end();
    const ps = lines.filter((line) => pids.includes(Number(/^\S+ +(\d+)/.exec(line)?.[1])));

    // We looked at the right moments: all programs on the way were running.
    expect(asked).toEqual(expect.arrayContaining(['AssumeRoleWithWebIdentity', 'GitPush']));
    expect(looks).toBeGreaterThan(5);
    for (const program of programs) {
      expect(argumentLists.some((line) => line.includes(program))).toBe(true);
      if (lines.length > 0) expect(ps.some((line) => line.includes(program))).toBe(true);
    }
    expect(environments.some((text) => text.includes(`HOME=${sandbox.home}`))).toBe(true);

    const secrets = await credentialsOf(roles[profile]);
    const everything = [...argumentLists, ...environments, ...ps];
    expect(everything.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
    // Signatures, and tokens of any kind.
    expect(everything.filter((text) => /\d{8}T\d{6}Z[0-9a-f]{64}|eyJ[\w-]{20,}\./.test(text))).toEqual([]);
  });
});

/** The credentials that the agent holds for the role; asking for them causes no call to STS. */
async function credentialsOf(role: string): Promise<string[]> {
  const asked = () => sandbox.aws.log.filter(({ service }) => service === 'sts').length;
  const before = asked();
  const { stdout } = await sandbox.succeed('vouch', ['credential', 'aws', '--role', role]);
  expect(asked()).toBe(before);
  const { AccessKeyId, SecretAccessKey, SessionToken } = JSON.parse(stdout) as Record<string, string>;
  return [AccessKeyId, SecretAccessKey, SessionToken].map(String);
}
