import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { credentialConfig, storingHelpers } from '../../../cli/git/effective-config.ts';
import { type Machine, machine, run } from '../support.ts';

const host = 'git-codecommit.us-east-1.amazonaws.com';
const repository = `https://${host}/v1/repos/demo`;

/** Makes each helper in the machine's `.gitconfig` record its letter, so that Git itself shows which helpers it asks, in which order. */
function recorded(the: Machine, config: string): void {
  const log = join(the.folder, 'asked');
  const helper = (name: string) => `"!f() { echo ${name} >>${log}; }; f"`;
  const text = config.replaceAll(/(helper) = (\w)$/gim, (_, key, name) => `${key} = ${helper(name)}`);
  writeFileSync(join(the.folder, 'home/.gitconfig'), text);
}

async function asksGit(the: Machine, url: string, cwd = the.env.HOME): Promise<string> {
  const log = join(the.folder, 'asked');
  rmSync(log, { force: true });
  const env = { ...the.env, GIT_TERMINAL_PROMPT: '0', HOME: the.env.HOME };
  const { code } = await run('git', ['-C', cwd ?? '', 'credential', 'fill'], env, `url=${url}\n\n`);
  expect(code).toBe(128);
  try {
    return readFileSync(log, 'utf8').replaceAll('\n', '');
  } catch {
    return '';
  }
}

async function says(the: Machine, url: string, cwd = the.env.HOME): Promise<string> {
  const { helpers } = await credentialConfig(url, the.env, cwd);
  return helpers.map(({ value }) => /echo (\w)/.exec(value)?.[1] ?? value).join('');
}

/** Sections' patterns. In the test each has its own helper. */
const patterns = [
  'https://git-codecommit.us-east-1.amazonaws.com',
  'https://git-codecommit.*.amazonaws.com',
  'https://*.us-east-1.amazonaws.com',
  'https://*',
  'https://*.*.*.*',
  'https://git-*.us-east-1.amazonaws.com',
  'https://git-codecommit.*.com',
  'http://git-codecommit.us-east-1.amazonaws.com',
  'HTTPS://Git-CodeCommit.US-EAST-1.amazonaws.com',
  'https://git-codecommit.us-east-1.amazonaws.com/',
  'https://git-codecommit.us-east-1.amazonaws.com:443',
  'https://git-codecommit.us-east-1.amazonaws.com:0443/',
  'https://git-codecommit.us-east-1.amazonaws.com:8443',
  'https://git-codecommit.us-east-1.amazonaws.com:',
  'https://git-codecommit.us-east-1.amazonaws.com:99999',
  'https://git-codecommit.us-east-1.amazonaws.com/v1',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/dem',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo/',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo2',
  'https://git-codecommit.us-east-1.amazonaws.com/V1/repos/demo',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/x/../repos/./demo',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/%64emo',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/d%65mo',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/d%zzmo',
  'https://git-codecommit.us-east-1.amazonaws.com/..',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/a b',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/a%20b',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/é',
  'https://git-codecommit.us-east-1.amazonaws.com/v1?x',
  'https://prod@git-codecommit.us-east-1.amazonaws.com',
  'https://prod:word@git-codecommit.us-east-1.amazonaws.com',
  'https://pro%64@git-codecommit.us-east-1.amazonaws.com',
  'https://@git-codecommit.us-east-1.amazonaws.com',
  'https://other@git-codecommit.*.amazonaws.com',
  'https://',
  'https:///v1/repos/demo',
  'git-codecommit.us-east-1.amazonaws.com',
  'git-codecommit.*.amazonaws.com',
  'Git-codecommit.us-east-1.amazonaws.com',
  'prod@git-codecommit.us-east-1.amazonaws.com',
  'git-codecommit.us-east-1.amazonaws.com:8443',
  'git-codecommit.us-east-1.amazonaws.com/v1/repos/demo',
  'git-codecommit.us-east-1.amazonaws.com/v1',
  '/v1/repos/demo',
  '/v1/repos/demo/',
  '/v1',
  'amazonaws.com',
  'nonsense',
  '',
  'https://[::1]:8443/',
];

const urls = [
  repository,
  `https://prod@${host}/v1/repos/demo`,
  `https://${host}:8443/v1/repos/demo/`,
  `https://${host.toUpperCase()}/v1/repos/demo`,
  `https://${host}/v1/repos/a%20b`,
  `https://${host}/v1/repos/%C3%A9/deeper`,
  `https://${host}`,
  'https://[::1]:8443/v1/repos/demo',
];

describe('credentialConfig', () => {
  // Each pattern's helper has its own letter, so one run of Git is enough for all patterns.
  test.each(urls)('names the sections that Git finds for %s', async (url) => {
    const the = machine();
    const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    expect(patterns.length).toBeLessThanOrEqual(letters.length);
    recorded(the, patterns.map((pattern, i) => `[credential "${pattern}"]\n\thelper = ${letters[i]}\n`).join(''));
    const asked = await asksGit(the, url);
    expect(asked.length).toBeGreaterThan(2);
    const named = (found: string) => [...found].map((letter) => patterns[letters.indexOf(letter)]);
    expect(named(await says(the, url))).toEqual(named(asked));
  });

  test.each([
    ['nothing', ''],
    ['a generic helper', '[credential]\n\thelper = a\n'],
    ['a generic one after', `[credential "${repository}"]\n\thelper = a\n[credential]\n\thelper = b\n`],
    ['a generic one before', `[credential]\n\thelper = b\n[credential "${repository}"]\n\thelper = a\n`],
    [
      'a generic one that clears',
      `[credential "${repository}"]\n\thelper = a\n[credential]\n\thelper =\n\thelper = b\n`,
    ],
    [
      'clearing in the middle',
      `[credential "https://${host}"]\n\thelper = a\n\thelper =\n\thelper = b\n\thelper = c\n`,
    ],
    ['clearing for another URL', '[credential]\n\thelper = a\n[credential "https://example.com"]\n\thelper =\n'],
    ['one helper twice', '[credential]\n\thelper = a\n\thelper = a\n'],
    ['names in capitals', `[CREDENTIAL "https://${host}"]\n\tHELPER = a\n`],
    ['a user name before a part', `[credential]\n\tusername = prod\n[credential "prod@${host}"]\n\thelper = a\n`],
    ['a user name after a part', `[credential "prod@${host}"]\n\thelper = a\n[credential]\n\tusername = prod\n`],
    [
      'a user name and a whole URL',
      `[credential]\n\tusername = prod\n[credential "https://prod@${host}"]\n\thelper = a\n`,
    ],
  ])('gives the order that Git has, with %s', async (_, config) => {
    const the = machine();
    recorded(the, config);
    expect(await says(the, repository)).toBe(await asksGit(the, repository));
  });

  test('reads system, global, included, local and command line settings in the order of Git, and says where they are', async () => {
    const the = machine();
    const log = join(the.folder, 'asked');
    const section = (name: string) =>
      `[credential "https://${host}"]\n\thelper = "!f() { echo ${name} >>${log}; }; f"\n`;
    const files = {
      system: join(the.folder, 'system'),
      included: join(the.folder, 'home/more files.inc'),
      global: join(the.folder, 'home/.gitconfig'),
      local: join(the.folder, 'work/.git/config'),
    };
    const work = join(the.folder, 'work');
    await run('git', ['init', '--quiet', work], the.env);
    mkdirSync(join(work, 'deep/er'), { recursive: true });
    delete the.env.GIT_CONFIG_NOSYSTEM;
    the.env.GIT_CONFIG_SYSTEM = files.system;
    writeFileSync(files.system, section('s'));
    writeFileSync(files.included, section('i'));
    writeFileSync(files.global, `${section('g')}[include]\n\tpath = more files.inc\n${section('h')}`);
    writeFileSync(files.local, section('l'), { flag: 'a' });
    Object.assign(the.env, {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'credential.helper',
      GIT_CONFIG_VALUE_0: `!f() { echo c >>${log}; }; f`,
      // Only `git config` reads this file; Git itself does not.
      GIT_CONFIG: '/dev/null',
    });
    for (const cwd of [work, join(work, 'deep/er')]) {
      expect(await says(the, repository, cwd)).toBe('sgihlc');
      expect(await asksGit(the, repository, cwd)).toBe('sgihlc');
      const { helpers } = await credentialConfig(repository, the.env, cwd);
      expect(helpers.map(({ origin, section }) => [origin.scope, origin.file, section])).toEqual([
        ['system', files.system, `credential.https://${host}`],
        ['global', files.global, `credential.https://${host}`],
        ['global', files.included, `credential.https://${host}`],
        ['global', files.global, `credential.https://${host}`],
        ['local', files.local, `credential.https://${host}`],
        ['command', undefined, undefined],
      ]);
    }
  });

  test.each([
    ['true', true],
    ['Yes', true],
    ['on', true],
    ['1', true],
    ['1k', true],
    ['false', false],
    ['no', false],
    ['0', false],
    ['', false],
  ])('useHttpPath = %s is %s, as for Git', async (value, expected) => {
    const the = machine();
    const file = join(the.folder, 'home/.gitconfig');
    writeFileSync(
      file,
      `[credential "${repository}"]\n\tuseHttpPath = ${value}\n\thelper = "!cat >${the.folder}/in; :"\n`,
    );
    const { useHttpPath, username } = await credentialConfig(repository, the.env);
    expect([useHttpPath?.value, username]).toEqual([expected, undefined]);
    await run('git', ['credential', 'fill'], { ...the.env, GIT_TERMINAL_PROMPT: '0' }, `url=${repository}\n\n`);
    expect(readFileSync(join(the.folder, 'in'), 'utf8').includes('path=')).toBe(expected);
  });

  test('the last useHttpPath counts, however specific, and the user name in the URL comes first', async () => {
    const the = machine();
    const file = join(the.folder, 'home/.gitconfig');
    writeFileSync(
      file,
      `[credential "${repository}"]\n\tuseHttpPath = true\n\tusername = a\n[credential]\n\tuseHttpPath = no\n\tusername = b\n`,
    );
    const config = await credentialConfig(repository, the.env);
    expect(config.useHttpPath?.value).toBe(false);
    expect(config.username).toEqual({ value: 'b', origin: { scope: 'global', file } });
    expect((await credentialConfig(`https://prod@${host}/`, the.env)).username).toBeUndefined();
  });

  test('reports Git’s message about a file that Git cannot read', async () => {
    const the = machine();
    writeFileSync(join(the.folder, 'home/.gitconfig'), '[credential\n');
    await expect(credentialConfig(repository, the.env)).rejects.toMatchObject({
      kind: 'git-config',
      why: expect.stringMatching(/bad config line 1/),
    });
  });
});

test('those before Vouch would store as well as those after', async () => {
  const the = machine();
  const values = ['cache', 'vouch', '!aws codecommit credential-helper $@', 'store', 'vouch --profile p'];
  writeFileSync(
    join(the.folder, 'home/.gitconfig'),
    `[credential]\n${values.map((value) => `\thelper = ${value}\n`).join('')}`,
  );
  const storing = storingHelpers(await credentialConfig(repository, the.env));
  expect(storing.map(({ value }) => value)).toEqual(['cache', 'store']);
});
