import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseGitRequest } from '../../../cli/agent/protocol/git-request.ts';
import { codeCommitHost, gitUrlPatterns } from '../../../cli/aws/codecommit/hosts.ts';
import { canonicalPath } from '../../../cli/aws/codecommit/signature.ts';
import { machine, run } from '../support.ts';

/**
 * The request that Git makes from a URL. Git itself splits the URL and asks a helper, which records the request. Our parsers then
 * read the recorded request, up to the signature.
 */
async function ask(url: string, everywhere: boolean): Promise<Buffer | undefined> {
  const { folder, env } = machine();
  const request = join(folder, 'request');
  const helper = join(folder, 'bin/git-credential-recorder');
  writeFileSync(helper, `#!/bin/sh\ncat >${request}\necho quit=1\n`);
  chmodSync(helper, 0o755);
  const sections = everywhere
    ? ['[credential]']
    : gitUrlPatterns().map(({ pattern }) => `[credential ${JSON.stringify(pattern)}]`);
  const config = sections.map((section) => `${section}\n\thelper = recorder\n\tuseHttpPath = true\n`);
  writeFileSync(join(env.HOME ?? '', '.gitconfig'), config.join(''));
  rmSync(request, { force: true });
  // Otherwise a Git that asks no helper would try to ask a person.
  await run('git', ['credential', 'fill'], { ...env, GIT_TERMINAL_PROMPT: '0' }, `url=${url}\n\n`);
  return existsSync(request) ? readFileSync(request) : undefined;
}

/** What is signed for a URL, and which profile it names; a word when nothing is signed. */
async function outcome(url: string, { everywhere = false } = {}) {
  const request = await ask(url, everywhere);
  if (request === undefined) return 'not asked';
  const asked = parseGitRequest(request);
  if (asked === undefined) return 'malformed';
  const target = asked.protocol === 'https' ? codeCommitHost(asked.host) : undefined;
  if (target === undefined) return 'not CodeCommit';
  if (!asked.path) return 'no path';
  const { host, region, partition } = target;
  return [partition.id, region, host, canonicalPath(asked.path), ...(asked.username ? [asked.username] : [])];
}

const public1 = 'git-codecommit.us-east-1.amazonaws.com';
const demo = '/v1/repos/demo';

describe('URLs of repositories', () => {
  test.each([
    // Every family of hosts.
    [`https://${public1}${demo}`, 'aws', 'us-east-1', public1, demo],
    [`https://git-codecommit.ap-southeast-7.amazonaws.com${demo}`, 'aws', 'ap-southeast-7', '', demo],
    [`https://git-codecommit.mx-central-1.amazonaws.com${demo}`, 'aws', 'mx-central-1', '', demo],
    [`https://git-codecommit-fips.us-west-2.amazonaws.com${demo}`, 'aws', 'us-west-2', '', demo],
    [`https://git-codecommit.us-gov-west-1.amazonaws.com${demo}`, 'aws-us-gov', 'us-gov-west-1', '', demo],
    [`https://git-codecommit-fips.us-gov-east-1.amazonaws.com${demo}`, 'aws-us-gov', 'us-gov-east-1', '', demo],
    [`https://git-codecommit.cn-north-1.amazonaws.com.cn${demo}`, 'aws-cn', 'cn-north-1', '', demo],
    [`https://git-codecommit.cn-northwest-1.amazonaws.com.cn${demo}`, 'aws-cn', 'cn-northwest-1', '', demo],
    [`https://git-codecommit.eusc-de-east-1.amazonaws.eu${demo}`, 'aws-eusc', 'eusc-de-east-1', '', demo],
    [`https://vpce-0a1b-2c3d.git-codecommit.us-east-1.vpce.amazonaws.com${demo}`, 'aws', 'us-east-1', '', demo],
    [`https://vpce-0a-1b-us-east-1a.git-codecommit.us-east-1.vpce.amazonaws.com${demo}`, 'aws', 'us-east-1', '', demo],
    [`https://vpce-0a-1b.git-codecommit-fips.us-east-2.vpce.amazonaws.com${demo}`, 'aws', 'us-east-2', '', demo],
    [
      `https://vpce-0a-1b.git-codecommit-fips.us-gov-west-1.vpce.amazonaws.com${demo}`,
      'aws-us-gov',
      'us-gov-west-1',
      '',
      demo,
    ],
    [`https://vpce-0a-1b.git-codecommit.cn-north-1.vpce.amazonaws.com.cn${demo}`, 'aws-cn', 'cn-north-1', '', demo],
    [
      `https://vpce-0a-1b.git-codecommit.eusc-de-east-1.vpce.amazonaws.eu${demo}`,
      'aws-eusc',
      'eusc-de-east-1',
      '',
      demo,
    ],
    // Ways to write a host.
    [`https://${public1}:443${demo}`, 'aws', 'us-east-1', public1, demo],
    [`https://GIT-CodeCommit.us-east-1.AmazonAWS.com${demo}`, 'aws', 'us-east-1', '', demo],
    [`https://git%2Dcodecommit.us-east-1.amazonaws.com${demo}`, 'aws', 'us-east-1', public1, demo],
    // Ways to write a path.
    [`https://${public1}${demo}/`, 'aws', 'us-east-1', public1, demo],
    [`https://${public1}${demo}///`, 'aws', 'us-east-1', public1, demo],
    [`https://${public1}/${demo}`, 'aws', 'us-east-1', public1, demo],
    [`https://${public1}${demo}.git`, 'aws', 'us-east-1', public1, `${demo}.git`],
    [`https://${public1}/v1/repos/My.Repo_2-x`, 'aws', 'us-east-1', public1, '/v1/repos/My.Repo_2-x'],
    [`https://${public1}/v1/repos/d%65mo`, 'aws', 'us-east-1', public1, demo],
    [`https://${public1}/v1/repos/a%20b`, 'aws', 'us-east-1', public1, '/v1/repos/a%20b'],
    [`https://${public1}/v1/repos/a b`, 'aws', 'us-east-1', public1, '/v1/repos/a%20b'],
    [`https://${public1}/v1/repos/%C3%A9`, 'aws', 'us-east-1', public1, '/v1/repos/%C3%A9'],
    [`https://${public1}/v1/repos/é`, 'aws', 'us-east-1', public1, '/v1/repos/%C3%A9'],
    [`https://${public1}/v1/repos/a%25b`, 'aws', 'us-east-1', public1, '/v1/repos/a%25b'],
    [`https://${public1}/v1/repos/a+b=c`, 'aws', 'us-east-1', public1, '/v1/repos/a%2Bb%3Dc'],
    [`https://${public1}/v1/repos/a'(b)*!~`, 'aws', 'us-east-1', public1, '/v1/repos/a%27%28b%29%2A%21~'],
    [`https://${public1}/v1/repos/${'a'.repeat(1000)}`, 'aws', 'us-east-1', public1, `/v1/repos/${'a'.repeat(1000)}`],
    // A profile as the user name.
    [`https://prod@${public1}${demo}`, 'aws', 'us-east-1', public1, demo, 'prod'],
    [`https://prod@${public1}:443${demo}`, 'aws', 'us-east-1', public1, demo, 'prod'],
    [`https://alice%40example.com@${public1}${demo}`, 'aws', 'us-east-1', public1, demo, 'alice@example.com'],
    [`https://my%20profile@${public1}${demo}`, 'aws', 'us-east-1', public1, demo, 'my profile'],
    [`https://@${public1}${demo}`, 'aws', 'us-east-1', public1, demo],
  ])('%s', async (url, partition, region, host, path, ...username) => {
    const found = await outcome(url);
    expect(found).toEqual([partition, region, host || /\/\/([^/]+)/.exec(url)?.[1], path, ...username]);
  });

  test('of a PrivateLink endpoint with dots in its name need a section of their own, and are signed then', async () => {
    const host = 'vpce-0a.1b.example.git-codecommit.us-east-1.vpce.amazonaws.com';
    expect(await outcome(`https://${host}${demo}`)).toBe('not asked');
    const found = await outcome(`https://${host}${demo}`, { everywhere: true });
    expect(found).toEqual(['aws', 'us-east-1', host, demo]);
  });
});

describe('URLs for which Vouch gives nothing', () => {
  test.each([
    [`https://${public1}.evil.example${demo}`, 'not CodeCommit'],
    [`https://${public1}%2eevil.example${demo}`, 'not CodeCommit'],
    [`https://evil.example/${public1}${demo}`, 'not CodeCommit'],
    [`https://evil-${public1}${demo}`, 'not CodeCommit'],
    [`https://evil.${public1}${demo}`, 'not CodeCommit'],
    [`https://${public1}.${demo}`, 'not CodeCommit'],
    [`https://${public1}:0${demo}`, 'not CodeCommit'],
    [`https://${public1}:99999${demo}`, 'not CodeCommit'],
    [`https://${public1}:https${demo}`, 'not CodeCommit'],
    [`https://a@b@${public1}${demo}`, 'not CodeCommit'],
    [`https://${public1}@evil.example${demo}`, 'not CodeCommit'],
    [`https://${public1}\\@evil.example${demo}`, 'not CodeCommit'],
    [`https://git-codecommit.cn-north-1.amazonaws.com${demo}`, 'not CodeCommit'],
    [`https://git-codecommit.us-east-1.amazonaws.com.cn${demo}`, 'not CodeCommit'],
    [`https://git-codecommit.us-east-1.amazonaws.eu${demo}`, 'not CodeCommit'],
    [`https://git-codecommit.eusc-de-east-1.amazonaws.com${demo}`, 'not CodeCommit'],
    [`https://git-codecommit-fips.cn-north-1.amazonaws.com.cn${demo}`, 'not CodeCommit'],
    [`https://git-codecommit.us.east-1.amazonaws.com${demo}`, 'not CodeCommit'],
    [`https://git-codecommit.amazonaws.com${demo}`, 'not CodeCommit'],
    [`https://git-codecommit..amazonaws.com${demo}`, 'not CodeCommit'],
    [`https://git-codecommit.us-east-1.vpce.amazonaws.com${demo}`, 'not CodeCommit'],
    [`https://vpce-1.git-codecommit.us-east-1.amazonaws.com${demo}`, 'not CodeCommit'],
    [`https://codecommit.us-east-1.amazonaws.com${demo}`, 'not CodeCommit'],
    [`https://${public1}%00${demo}`, 'not CodeCommit'],
    [`https://${public1}/v1/repos/%ff`, 'malformed'],
    [`https://${public1}/v1/repos/a%0aprotocol=https`, 'not asked'],
    [`https://a%0avouch-profile=prod@${public1}${demo}`, 'not asked'],
    [`https://${public1}%0ahost=x${demo}`, 'not asked'],
    [`https://user:password@${public1}${demo}`, 'not asked'],
    [`https://${public1}`, 'no path'],
    [`https://${public1}/`, 'no path'],
    [`http://${public1}${demo}`, 'not CodeCommit'],
    [`ssh://${public1}${demo}`, 'not CodeCommit'],
    [`https://${demo}`, 'malformed'],
    [demo, 'not asked'],
  ])('%s: %s', async (url, what) => {
    expect(await outcome(url, { everywhere: true })).toBe(what);
  });
});
