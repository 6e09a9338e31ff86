import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitConfig } from '../../../cli/doctor/checks/git-config.ts';
import { examine } from '../../../cli/doctor/examine.ts';
import { resultText } from '../../../cli/doctor/result-text.ts';
import { findTarget } from '../../../cli/doctor/target-repository.ts';
import { git } from '../../../cli/git/git.ts';
import { setupCodeCommit } from '../../../cli/vouch/commands/setup-codecommit.ts';
import { captured, type Machine, machine, setUpProfile } from '../support.ts';
import { visitTo } from './visit.ts';

const host = 'git-codecommit.us-east-1.amazonaws.com';
const url = `https://${host}/v1/repos/demo`;

async function checked(the: Machine, address = url) {
  const [result] = await examine([gitConfig], await visitTo(the, address));
  if (result === undefined) throw new Error('nothing was checked');
  return result;
}

/** All that is printed about a result, for a person and for a script. */
const said = (result: Awaited<ReturnType<typeof checked>>) =>
  JSON.stringify(result) + resultText(result, { width: 10, of: (id) => id }, { colour: false, columns: 80 });

describe('Git’s configuration', () => {
  test('a helper that is a shell command is named without the command’s text', async () => {
    const the = machine();
    const helper = '!f() { echo username=bob; echo password=hunter2; }; f';
    await git(['config', '--global', 'credential.helper', helper], the.env);
    const result = await checked(the);
    expect(result).toMatchObject({ status: 'failed', findings: [{ id: 'git-config.no-helper' }] });
    expect(said(result)).toContain('!f() …');
    expect(said(result)).not.toContain('hunter2');
  });

  test('a password in the URL is found, and never shown', async () => {
    const the = machine();
    await setupCodeCommit({}, captured(the.env).io);
    for (const user of ['bob:hunter2@', ':hunter2@', 'bob:hunt@er2@']) {
      const result = await checked(the, url.replace('//', `//${user}`));
      expect(result.findings.map(({ id }) => id)).toContain('git-config.password-in-url');
      expect(said(result)).not.toMatch(/hunt|er2/);
      // The password's user is not a profile: Vouch would refuse that name.
      const found = result.findings.find(({ id }) => id === 'git-config.password-in-url');
      expect(found?.steps).toEqual([`Take it out: ${url}`]);
    }
    const where = { env: the.env, cwd: the.folder, signal: new AbortController().signal };
    await expect(findTarget('https://bob:hunter2@example.com/x', where)).rejects.toThrow(/^(?!.*hunter2)/);
  });

  test('an older Git needs a setting for a user name in the URL', async () => {
    const the = machine();
    setUpProfile(the);
    await setupCodeCommit({}, captured(the.env).io);
    setUpProfile(the, 'prod');
    const [, major, minor] = /(\d+)\.(\d+)/.exec((await git(['--version'], the.env)).stdout) ?? [];
    const old = Number(major) === 2 && Number(minor) < 46;
    const before = await checked(the, url.replace('//', '//prod@'));
    expect(before.findings.map(({ id }) => id)).toEqual(old ? ['git-config.user-name'] : []);
    await setupCodeCommit({}, captured(the.env).io);
    expect((await checked(the, url.replace('//', '//prod@'))).status).toBe('ok');
  });

  test('an endpoint whose name has more labels than a setup for all hosts covers is to be named', async () => {
    const the = machine();
    await setupCodeCommit({}, captured(the.env).io);
    const endpoint = 'https://vpce-1.us-east-1a.git-codecommit.us-east-1.vpce.amazonaws.com';
    const before = await checked(the, `${endpoint}/v1/repos/demo`);
    expect(before.findings).toMatchObject([
      { id: 'git-config.no-helper', steps: [`Run \`vouch setup codecommit --url ${endpoint}\`.`] },
    ]);
    await setupCodeCommit({ url: endpoint }, captured(the.env).io);
    expect((await checked(the, `${endpoint}/v1/repos/demo`)).status).toBe('ok');
  });

  test('a file that Git cannot read is a finding, with what Git says', async () => {
    const the = machine();
    writeFileSync(join(the.env.HOME ?? '', '.gitconfig'), '[credential\n');
    const result = await checked(the);
    expect(result).toMatchObject({ status: 'failed', findings: [{ id: 'git-config.git-config' }] });
    expect(result.findings[0]?.why?.[0]).toContain('bad config line 1');
  });
});

describe('which repository is meant', () => {
  const where = (the: Machine, cwd = the.folder) => ({ env: the.env, cwd, signal: new AbortController().signal });

  test('url.<base>.insteadOf counts, as for Git', async () => {
    const the = machine();
    await git(['config', '--global', `url.https://${host}/v1/repos/.insteadOf`, 'cc:'], the.env);
    expect(await findTarget('cc:demo', where(the))).toMatchObject({ url, repository: 'demo' });
  });

  test('an option is not a URL, and an empty text is not a repository', async () => {
    const the = machine();
    for (const hostile of [
      '--upload-pack=touch x',
      '',
      '\n',
      `https://${host}.evil.example/v1/repos/demo`,
      `http://${host}.evil.example/v1/repos/demo`,
      `ssh://${host}.evil.example/v1/repos/demo`,
      `APKA@${host}.evil.example:v1/repos/demo`,
      `ssh://${host}/v1/repos/de mo`,
      `-oProxyCommand=x@${host}:v1/repos/demo;x`,
    ]) {
      await expect(findTarget(hostile, where(the))).rejects.toMatchObject({ kind: 'not-codecommit', exitCode: 2 });
    }
    await expect(findTarget('codecommit://', where(the))).rejects.toMatchObject({ kind: 'malformed-url', exitCode: 2 });
    expect(await findTarget(undefined, where(the))).toBeUndefined();
  });

  test.each([
    `ssh://${host}/v1/repos/demo`,
    `ssh://APKA@${host}:22/v1/repos/demo/`,
    `git+ssh://APKA@${host.toUpperCase()}/v1/repos/demo`,
    `APKA@${host}:v1/repos/demo`,
    `${host}:/v1/repos/demo`,
    `http://APKA:hunter2@${host}:80/v1/repos/demo`,
  ])('%s is the same repository as one over HTTPS', async (address) => {
    const target = await findTarget(address, where(machine()));
    expect(target).toMatchObject({ repository: 'demo', instead: { scheme: /^http:/.test(address) ? 'http' : 'ssh' } });
    expect(target?.https.replace(/\/$/, '')).toBe(url);
    expect(JSON.stringify(target)).not.toContain('hunter2');
  });

  test('the branch’s own remote comes before origin; other hosts’ remotes are skipped', async () => {
    const the = machine();
    const run = (...args: string[]) => git(['-C', the.folder, ...args], the.env);
    await run('init', '--quiet', '--initial-branch=main');
    await run('remote', 'add', 'origin', url);
    await run('remote', 'add', 'up', `${url}2`);
    await run('config', 'branch.main.remote', 'up');
    const upstream = await findTarget(undefined, where(the));
    expect([upstream?.url, upstream?.remote]).toEqual([`${url}2`, undefined]);
    expect(await findTarget('up', where(the))).toMatchObject({ remote: 'up' });
    await run('remote', 'set-url', 'up', 'https://example.com/x');
    expect(await findTarget(undefined, where(the))).toMatchObject({ url });
    expect(await findTarget('origin', where(the))).toMatchObject({ url, remote: 'origin' });
    expect((await findTarget(url, where(the)))?.remote).toBeUndefined();
  });

  test.each([
    'https:HOST/v1/repos/demo',
    'https:/HOST/v1/repos/demo',
    'https:\\\\HOST/v1/repos/demo',
    'ht\ntps://HOST/v1/repos/demo',
    'https://HOST/v1/repos/demo$(id)',
    'https://HOST/v1/repos/demo;id',
  ])('%j is not an address that Git would take for a repository here', async (address) => {
    const the = machine();
    const where = { env: the.env, cwd: the.folder, signal: new AbortController().signal };
    const found = findTarget(address.replace('HOST', host), where);
    await expect(found).rejects.toThrow('not a repository on CodeCommit');
  });
});
