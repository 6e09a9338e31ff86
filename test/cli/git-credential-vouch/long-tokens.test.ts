import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { awsCredentials, gitCredentials, profileCredentials } from '../../../cli/agent/client/requests.ts';
import { longestAnswer } from '../../../cli/aws/sts/query.ts';
import { signedIn, viaGit } from '../agent/support.ts';
import { gitRequest, host, installHelper, lines, role, run, setUpChain } from '../support.ts';

/** AWS's session tokens grow. No part of the way to Git may be too short for the longest token from STS. */

const shells = ['dash', 'bash'].filter((shell) => existsSync(join('/bin', shell)));

/** Signs in, with an STS whose session tokens are this long. */
async function withTokens(length: number) {
  const the = await signedIn();
  const helper = installHelper(the);
  // The characters of base64, including those that are special in shells and URLs.
  const token = `/+${'Ab0/+9'.repeat(length / 6 + 1)}`.slice(0, length - 2).concat('==');
  the.world.answers.sts = (response) => {
    const action = the.world.calls.at(-1)?.query?.get('Action');
    response.end(
      `<${action}Response><${action}Result><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>${token}</SessionToken><Expiration>${new Date(the.clock.now + 3600_000).toISOString()}</Expiration></Credentials></${action}Result></${action}Response>`,
    );
  };
  return { ...the, helper, token, username: `ASIAEXAMPLE%${token}` };
}

describe.each([4, 8, 16])('a session token of %i KiB', (size) => {
  const length = size * 1024;

  test('goes over both sockets, in both forms', async () => {
    const the = await withTokens(length);
    expect(lines(await viaGit(the)).username).toBe(the.username);
    expect(lines(await gitCredentials(Buffer.from(gitRequest), the.env)).username).toBe(the.username);
    const { credential = '' } = lines(await viaGit(the, `vouch-forms=both\n${gitRequest}`));
    expect(Buffer.from(credential, 'base64').toString()).toMatch(/^ASIAEXAMPLE%\S+:\d{8}T\d{6}Z[0-9a-f]{64}$/);
    expect(Buffer.from(credential, 'base64').toString()).toContain(the.username);
    expect((await awsCredentials(role, 'us-east-1', the.env)).sessionToken).toBe(the.token);
  });

  test('is shown to STS for a chained role', async () => {
    const the = await withTokens(length);
    setUpChain(the, 'team', 'vouch', `${role}-team`);
    expect((await profileCredentials('team', { region: 'us-east-1' }, the.env)).sessionToken).toBe(the.token);
    expect(the.world.calls.at(-1)?.query?.get('Action')).toBe('AssumeRole');
  });

  test.each(shells)('comes to Git whole, through the script in %s', async (shell) => {
    const the = await withTokens(length);
    const url = `url=https://${host}/v1/repos/demo\n`;
    const direct = await run(shell, [the.helper, 'get'], the.env, gitRequest);
    expect(lines(direct.stdout).username).toBe(the.username);
    const ours = ['-c', 'credential.helper=vouch', '-c', 'credential.useHttpPath=true'];
    const { stdout } = await run('git', [...ours, 'credential', 'fill'], the.env, url);
    expect(lines(stdout).username).toBe(the.username);
  });

  test('comes to a newer Git in the form of a header, through the script', async () => {
    const the = await withTokens(length);
    const git = join(the.folder, 'bin/git');
    writeFileSync(
      git,
      `#!/bin/sh\nPATH=\${PATH#*:}\n{ git "$@" 3>&1 >&4 | sed 's/"exe":"[^"]*"/"exe":"2.60.0"/' >&3; } 4>&1\n`,
    );
    chmodSync(git, 0o755);
    const { stdout } = await run(the.helper, ['get'], the.env, `capability[]=authtype\n${gitRequest}`);
    expect(Buffer.from(lines(stdout).credential ?? '', 'base64').toString()).toContain(`${the.username}:`);
  });
});

test('STS’s answer may have 64 KiB, and not a byte more', async () => {
  expect(longestAnswer).toBe(65_536);
  const the = await withTokens(4096);
  const usual = the.world.answers.sts;
  const padTo = (length: number) => {
    the.world.answers.sts = (response) => {
      const end = response.end.bind(response);
      response.end = ((text: string) => end(`${' '.repeat(length - text.length)}${text}`)) as typeof response.end;
      return usual?.(response);
    };
  };
  padTo(65_537);
  await expect(awsCredentials(role, 'us-east-1', the.env)).rejects.toMatchObject({ kind: 'aws-unreachable' });
  padTo(65_536);
  expect((await awsCredentials(role, 'us-east-1', the.env)).sessionToken).toBe(the.token);
});

test.each(shells)('the script, in %s, passes on a request of 99,999 characters, and no longer one', async (shell) => {
  const the = await withTokens(4096);
  // The script puts a newline before each line.
  const padded = (length: number) => {
    const line = `other=${'a'.repeat(40_000)}\n`;
    const text = gitRequest + line + line;
    return `${text}other=${'a'.repeat(length - text.length - 'other='.length - 1)}\n`;
  };
  expect(padded(99_999)).toHaveLength(99_999);
  const at = await run(shell, [the.helper, 'get'], the.env, padded(99_999));
  expect(lines(at.stdout).username).toBe(the.username);
  expect(await run(shell, [the.helper, 'get'], the.env, padded(100_000))).toEqual({ code: 0, stdout: '', stderr: '' });
});
