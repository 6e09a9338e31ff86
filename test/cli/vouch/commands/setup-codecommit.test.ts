import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { credentialConfig } from '../../../../cli/git/effective-config.ts';
import { gitAsksVouch } from '../../../../cli/git/git.ts';
import { changeConfigFile } from '../../../../cli/git/setup/change-file.ts';
import { missingUserSections } from '../../../../cli/git/setup/user-sections.ts';
import { type SetupCodeCommitOptions, setupCodeCommit } from '../../../../cli/vouch/commands/setup-codecommit.ts';
import { installHelper, type Machine, machine, read, run, runCommand, setUpProfile } from '../../support.ts';

const family = 'https://git-codecommit.*.amazonaws.com';
const repository = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo';
const chinese = 'arn:aws-cn:iam::123456789012:role/VouchDeveloper';

function machineWithHelper(): Machine & { config: string } {
  const the = machine();
  installHelper(the);
  return { ...the, config: join(the.folder, 'home/.gitconfig') };
}

const setUp = (the: Machine, options: SetupCodeCommitOptions = {}, cwd = the.env.HOME) =>
  runCommand(the.env, (io) => setupCodeCommit({ verbose: true, ...options }, io, cwd));

async function values(the: Machine, key: string) {
  const { stdout } = await run('git', ['config', '--global', '--null', '--get-all', key], the.env);
  return stdout.split('\0').slice(0, -1);
}

const asked = async (the: Machine, url = repository, cwd = the.env.HOME) =>
  (await credentialConfig(url, the.env, cwd)).helpers.map(({ value }) => value);

/** The real Git, which claims another version. */
function pretend(the: Machine, version: string): void {
  const file = join(the.folder, 'bin/git');
  writeFileSync(
    file,
    `#!/bin/sh\n[ "$1" = --version ] && { echo git version ${version}; exit 0; }\nPATH=\${PATH#*:} exec git "$@"\n`,
    { mode: 0o755 },
  );
}

/** A Git of that version that counts how often it is started. */
function countingGit(the: Machine, version: string): () => number {
  const count = join(the.folder, 'count');
  writeFileSync(count, '');
  writeFileSync(
    join(the.folder, 'bin/git'),
    `#!/bin/sh\necho x >>'${count}'\n[ "$1" = --version ] && { echo git version ${version}; exit 0; }\nPATH=\${PATH#*:} exec git "$@"\n`,
    { mode: 0o755 },
  );
  return () => read(count).length;
}

describe('vouch setup codecommit', () => {
  test('writes a section for each family of hosts, shows them, and changes nothing when run again', async () => {
    const the = machineWithHelper();
    const first = await setUp(the);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(
      `Changed ${the.config}:\n+ [credential "${family}"]\n+     helper =\n+     helper = vouch\n`,
    );
    for (const host of [
      'git-codecommit.eu-west-1.amazonaws.com',
      'git-codecommit-fips.us-gov-west-1.amazonaws.com',
      'git-codecommit.cn-north-1.amazonaws.com.cn',
      'git-codecommit.eusc-de-east-1.amazonaws.eu',
      'vpce-0a-bc.git-codecommit.us-east-1.vpce.amazonaws.com',
      'vpce-0a-bc.git-codecommit-fips.us-east-1.vpce.amazonaws.com',
      'vpce-0a-bc.git-codecommit.cn-north-1.vpce.amazonaws.com.cn',
    ]) {
      const config = await credentialConfig(`https://${host}/v1/repos/demo`, the.env);
      expect([host, config.helpers.map(({ value }) => value), config.useHttpPath?.value]).toEqual([
        host,
        ['vouch'],
        true,
      ]);
    }
    expect(await asked(the, 'https://git-codecommit.us-east-1.amazonaws.com.evil.example/')).toEqual([]);
    expect(await values(the, 'protocol.codecommit.allow')).toEqual(['always']);

    utimesSync(the.config, 1, 1);
    const { ino, mtimeMs } = statSync(the.config);
    expect(await setUp(the)).toEqual({
      code: 0,
      stderr: '',
      stdout: 'Git asks Vouch for CodeCommit already, nothing to change\nNext: `vouch setup`\n',
    });
    expect(statSync(the.config)).toMatchObject({ ino, mtimeMs });
    expect(readdirSync(dirname(the.config))).toEqual(['.gitconfig']);
  });

  test('prints its decisions, a line each, and what comes next; every changed line only when asked', async () => {
    const the = machineWithHelper();
    pretend(the, '2.45.9');
    setUpProfile(the, 'prod');
    const { stdout } = await setUp(the, { verbose: false });
    expect(stdout.split('\n')).toEqual([
      `Git 2.45.9 now asks Vouch for CodeCommit. Changed ${the.config}:`,
      '  Vouch alone is asked for every repository of CodeCommit; other helpers are not (helper)',
      '  Git sends Vouch the path, because a password is for one repository only (useHttpPath)',
      "  a profile's name may stand in a URL, as in https://prod@… (emptyAuth)",
      '  submodules may have codecommit:// addresses (protocol.codecommit.allow)',
      'Next: `vouch setup`',
      '',
    ]);
    setUpProfile(the, 'late');
    const again = await setUp(the, { verbose: false });
    expect(again.stdout.match(/^ {2}.*/gm)).toEqual([
      "  a profile's name may stand in a URL, as in https://prod@… (emptyAuth)",
    ]);
    const narrowed = await setUp(the, { verbose: false, url: repository, profile: 'prod' });
    expect(narrowed.stdout).toContain(`  Vouch alone, with profile prod, is asked for ${repository};`);
    expect((await setUp(the, { verbose: false, dryRun: true, remove: true })).stdout).toMatch(/^- {5}helper = vouch$/m);
    expect((await setUp(the, { verbose: false, remove: true })).stdout).toBe(
      `Git 2.45.9 no longer asks Vouch for CodeCommit. Changed ${the.config}\n`,
    );
  });

  test('--local --remove says whose settings remain, and how they go too', async () => {
    const the = machineWithHelper();
    const work = join(the.folder, 'work');
    await run('git', ['init', '-q', work], the.env);
    await setUp(the, {}, work);
    await setUp(the, { local: true }, work);
    const { stdout, stderr } = await setUp(the, { local: true, remove: true, verbose: false }, work);
    expect(stdout).toBe(`Vouch is taken out. Changed ${join(work, '.git/config')}\n`);
    expect(stderr).toBe(
      `vouch: Git still asks Vouch here, by settings in ${the.config}.\n  \`vouch setup codecommit --remove --global\` takes them out.\n`,
    );
    expect(await asked(the, repository, work)).toEqual(['vouch']);
    const last = await setUp(the, { remove: true, verbose: false }, work);
    expect([last.stdout, last.stderr]).toEqual([expect.stringMatching(/^Git \S+ no longer asks Vouch/), '']);
  });

  // Files that must be the same, byte for byte, after our settings were added and removed.
  const aws =
    '[credential "https://git-codecommit.*.amazonaws.com"]\n\thelper = !aws codecommit credential-helper $@\n\tUseHttpPath = true\n';
  const files: [what: string, text: string][] = [
    ['nothing', ''],
    ['comments and blank lines', '# mine\n\n[user]\n\tname = Alice ; me\n\n\n# the end\n'],
    ['includes', '[include]\n\tpath = more\n[includeIf "gitdir:~/code/"]\n\tpath = work\n'],
    ["AWS's section of the same name", `[user]\n\tname = Alice\n${aws}# behind\n`],
    ["AWS's section, then a store", `${aws}[credential]\n\thelper = store\n`],
    [
      'an identical setting',
      '[protocol "codecommit"]\n\tallow = always\n[http "https://git-codecommit.*.amazonaws.com"]\n\tproactiveAuth = basic\n',
    ],
    ['another protocol setting', '[protocol "codecommit"]\n\tallow = user\n'],
    [
      'a proxy for the same hosts',
      '[http "https://git-codecommit.*.amazonaws.com"]\n\tproxy = http://localhost:1\n\n[core]\n\teditor = vi\n',
    ],
    [
      'several sections of one name',
      `${aws}[core]\n\tx = 1\n${aws}[credential "https://git-codecommit.*.amazonaws.com"]\n\thelper =\n`,
    ],
    ['quoted values', '[alias]\n\ta = "!f() { echo \\"x\\"; }; f"\n\tb = "two ; words # no comment" ; comment\n'],
    [
      'a heading with a comment only',
      '[credential "https://git-codecommit.*.amazonaws.com"]\n\t# nothing here\n[credential]\n\thelper = store\n',
    ],
    ['a value without an equals sign', '[core]\n\tbare\n'],
    ['comments between and behind', '# a\n[credential]\n\t# b\n\thelper = cache\n\t; c\n'],
    ['no line end at its end', '[user]\n\tname = A'],
    ['lines that end in CRLF', '[user]\r\n\tname = Alice\r\n'],
    ['a section in one line', '[user] name = Alice\n[credential] helper = cache\n'],
    ['odd spaces', '  [ user ]\n name=Alice\n\t\temail\t=\ta@example.com  \n'.replace('[ user ]', '[user]')],
  ];

  test.each(files)('--remove gives a file with %s back as it was', async (_, text) => {
    const the = machineWithHelper();
    setUpProfile(the);
    writeFileSync(the.config, text);
    expect((await setUp(the)).code).toBe(0);
    expect(await asked(the)).toEqual(['vouch']);
    const after = read(the.config);
    expect(after).toContain(text.trimEnd().split('\n').at(0) ?? '');
    expect((await setUp(the)).stdout).toContain('nothing to change');
    expect(read(the.config)).toBe(after);
    expect((await setUp(the, { profile: 'vouch' })).code).toBe(0);
    expect(await asked(the)).toEqual(['vouch --profile vouch']);
    expect((await setUp(the, { remove: true })).code).toBe(0);
    // Git adds the line end that was missing.
    expect(read(the.config)).toBe(text.replace(/[^\n]$/, '$&\n'));
    expect((await setUp(the, { remove: true })).stdout).toContain('nothing to change');
  });

  test.each(['true', 'false'])(
    '--remove leaves a useHttpPath = %s that the user has put beside ours',
    async (value) => {
      const the = machineWithHelper();
      await setUp(the);
      const key = `credential.${family}.useHttpPath`;
      await run('git', ['config', '--global', '--add', key, value], the.env);
      expect((await setUp(the, { remove: true })).code).toBe(0);
      expect(await values(the, `credential.${family}.helper`)).toEqual([]);
      expect((await values(the, key)).at(-1)).toBe(value);
      expect(await values(the, 'credential.https://git-codecommit-fips.*.amazonaws.com.useHttpPath')).toEqual([]);
    },
  );

  test('keeps a newer Git’s settings, and removes them too', async () => {
    const the = machineWithHelper();
    pretend(the, '2.46.0');
    const text = '[http "https://git-codecommit.*.amazonaws.com"]\n\tproactiveAuth = basic\n';
    writeFileSync(the.config, text);
    await setUp(the);
    expect(await values(the, 'http.https://git-codecommit.*.amazonaws.com.cn.proactiveAuth')).toEqual(['basic']);
    expect(read(the.config)).not.toContain('emptyAuth');
    expect((await setUp(the)).stdout).toContain('nothing to change');
    await setUp(the, { remove: true });
    expect(read(the.config)).toBe(text);
  });

  test('an older Git gets a setting for the user name of every profile', async () => {
    const the = machineWithHelper();
    pretend(the, '2.45.9');
    setUpProfile(the, 'prod');
    setUpProfile(the, 'cn', chinese);
    expect(await missingUserSections(the.env)).toEqual([]);
    await setUp(the);
    expect(await values(the, 'http.https://prod@git-codecommit.*.amazonaws.com.emptyAuth')).toEqual(['true']);
    expect(await values(the, 'http.https://cn@git-codecommit.*.amazonaws.com.cn.emptyAuth')).toEqual(['true']);
    expect(await values(the, 'http.https://cn@git-codecommit.*.amazonaws.com.emptyAuth')).toEqual([]);
    expect(read(the.config)).not.toContain('proactiveAuth');
    expect(await missingUserSections(the.env)).toEqual([]);
    setUpProfile(the, 'late@example.com');
    expect(await missingUserSections(the.env)).toEqual(['late@example.com']);
    await setUp(the);
    expect(await missingUserSections(the.env)).toEqual([]);
    expect(await values(the, 'http.https://late%40example.com@git-codecommit.*.amazonaws.com.emptyAuth')).toEqual([
      'true',
    ]);
    await setUp(the, { remove: true });
    expect(read(the.config)).toBe('');
  });

  test('for many profiles no more is written than for none; a name is prepared when it is asked for', async () => {
    const [none, many] = [machineWithHelper(), machineWithHelper()];
    for (const the of [none, many]) pretend(the, '2.45.9');
    for (let n = 0; n < 9; n++) setUpProfile(many, `p${n}`);
    setUpProfile(many, 'cn', chinese);
    await setUp(none);
    const { stderr } = await setUp(many);
    // China's only profile is there.
    expect(read(many.config).match(/^\[http .*/gm)).toEqual([
      '[http "https://cn@git-codecommit.*.amazonaws.com.cn"]',
      '[http "https://cn@*.git-codecommit.*.vpce.amazonaws.com.cn"]',
    ]);
    expect(read(many.config).replace(/^\[http .*\n.*\n/gm, '')).toBe(read(none.config));
    expect(stderr).toContain('With 10 profiles, not every name was prepared');
    expect(await missingUserSections(many.env)).toHaveLength(9);

    expect(await setUp(many, { user: 'p3' })).toMatchObject({ code: 0, stderr: '' });
    expect(await missingUserSections(many.env)).toEqual(['p0', 'p1', 'p2', 'p4', 'p5', 'p6', 'p7', 'p8']);
    expect(await values(many, 'http.https://p3@git-codecommit.*.amazonaws.com.emptyAuth')).toEqual(['true']);
    expect((await setUp(many)).stdout).toContain('nothing to change');
    expect(await setUp(many, { user: 'p10' })).toMatchObject({ code: 2 });
    for (const user of await missingUserSections(many.env)) await setUp(many, { user });
    expect(await setUp(many)).toMatchObject({ code: 0, stderr: '' });
    await setUp(many, { remove: true });
    expect(read(many.config)).toBe('');

    pretend(many, '2.46.0');
    expect(await setUp(many, { user: 'p3' })).toMatchObject({ code: 0, stderr: '' });
    expect(await missingUserSections(many.env)).toEqual([]);
  });

  test.each(['2.45.9', '2.46.0'])('starts Git %s no more often for many profiles than for a few', async (version) => {
    const counts: number[][] = [];
    for (const profiles of [2, 8]) {
      const the = machineWithHelper();
      const count = countingGit(the, version);
      const text = '[user]\n\tname = A\n# the end\n';
      writeFileSync(the.config, text);
      for (let n = 0; n < profiles; n++) setUpProfile(the, n % 2 ? `p${n}` : `p${n}@example.com`);
      await setUp(the);
      const added = count();
      expect(await missingUserSections(the.env)).toEqual([]);
      expect((await setUp(the)).stdout).toContain('nothing to change');
      const before = count();
      await setUp(the, { remove: true });
      expect(read(the.config)).toBe(text);
      counts.push([added, count() - before]);
    }
    expect(counts[1]).toEqual(counts[0]);
  });

  test('many sections are written as Git writes them, in the order that was wanted', async () => {
    const the = machine();
    const names = ['https://p1@git-codecommit.*.amazonaws.com', 'a b', 'x#y;z', 'é', "it's"];
    const settings = names.map((name) => ({ section: `http.${name}`, name: 'emptyAuth', value: 'true' }));
    settings.splice(2, 0, { section: 'http.a b', name: 'sslVerify', value: 'false' });
    for (const text of [
      '',
      '[user]\n\tname = Caf\xe9\n',
      '[user]\n\tname = A',
      '[user]\r\n\tname = A\r\n',
      '[http "a b"]\n# mine\n',
    ]) {
      const [one, many] = [join(the.folder, 'one'), join(the.folder, 'many')];
      for (const file of [one, many]) writeFileSync(file, text, 'latin1');
      await changeConfigFile(one, the.env, { dryRun: false }, async (copy) => {
        for (const { section, name, value } of settings) await copy.add(section, name, value);
      });
      await changeConfigFile(many, the.env, { dryRun: false }, (copy) => copy.addAll(settings));
      expect(readFileSync(many)).toEqual(readFileSync(one));
      await changeConfigFile(many, the.env, { dryRun: false }, (copy) => copy.removeAll(settings));
      await changeConfigFile(one, the.env, { dryRun: false }, async (copy) => {
        for (const { section, name, value } of settings) await copy.remove(section, name, value);
      });
      expect(readFileSync(many)).toEqual(readFileSync(one));
    }
  });

  test.each([
    ['a"b\\c', 'true'],
    ['a]b', 'true'],
    ['d', '" ;quoted# "'],
    ['e', 'two\nlines'],
    ['f', ''],
  ])('is added and taken out whatever has to be quoted: %j = %j', async (name, value) => {
    const the = machineWithHelper();
    const settings = [{ section: `http.${name}`, name: 'x', value }];
    await changeConfigFile(the.config, the.env, { dryRun: false }, (copy) => copy.addAll(settings));
    expect(await values(the, `http.${name}.x`)).toEqual([value]);
    await changeConfigFile(the.config, the.env, { dryRun: false }, (copy) => copy.removeAll(settings));
    expect(read(the.config)).toBe('');
  });

  test.each([
    ['a comment', '[http "a"]\n\tx = 1\n\t# mine\n', '[http "a"]\n\t# mine\n'],
    ['a comment behind it', '[http "a"]\n\tx = 1 # mine\n', ''],
    ['another setting', '[http "a"]\n\tx = 1\n\ty = 2\n', '[http "a"]\n\ty = 2\n'],
    ['another value', '[http "a"]\n\tx = 2\n', '[http "a"]\n\tx = 2\n'],
    ['the same elsewhere, in another form', '[http "a"]\n\tx = 1\n[HTTP "a"] x=1\n', ''],
    [
      'a value that looks like a section',
      '[a]\n\tb = \\\n[http "a"]\n\tx = 1\n',
      '[a]\n\tb = \\\n[http "a"]\n\tx = 1\n',
    ],
  ])('a section with %s is not a complete section of ours', async (_, before, after) => {
    const the = machineWithHelper();
    writeFileSync(the.config, before);
    const settings = [{ section: 'http.a', name: 'x', value: '1' }];
    await changeConfigFile(the.config, the.env, { dryRun: false }, (copy) => copy.removeAll(settings));
    expect(read(the.config)).toBe(after);
  });

  test.each([false, true])(
    'nothing changes where Git reads something else from the text (--remove: %s)',
    async (remove) => {
      const the = machineWithHelper();
      pretend(the, '2.45.9');
      setUpProfile(the);
      if (remove) await setUp(the);
      const before = remove ? read(the.config) : '[user]\n\tname = A\n';
      writeFileSync(the.config, before);
      // This Git lists one setting too many as soon as settings were written to, or removed from, the copy as text.
      const has = remove ? '! grep -q emptyAuth' : 'grep -q emptyAuth';
      writeFileSync(
        join(the.folder, 'bin/git'),
        `#!/bin/sh\n[ "$1" = --version ] && { echo git version 2.45.9; exit 0; }\nPATH=\${PATH#*:}\ncase "$*" in *--file*--list) git "$@"; if ${has} "$3"; then printf 'a.b\\nc\\0'; fi; exit ;; esac\nexec git "$@"\n`,
        { mode: 0o755 },
      );
      expect(await setUp(the, { remove })).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('Git would read other settings from it'),
      });
      expect(read(the.config)).toBe(before);
      expect(readdirSync(dirname(the.config)).filter((name) => name.includes('lock'))).toEqual([]);
    },
  );

  test('a setting that changes is shown under the heading of its section', async () => {
    const the = machineWithHelper();
    setUpProfile(the);
    await setUp(the);
    expect((await setUp(the, { profile: 'vouch' })).stdout).toContain(
      '\n  [credential "https://git-codecommit.*.amazonaws.com"]\n-     helper = vouch\n+     helper = vouch --profile vouch\n',
    );
  });

  test('a repository gets its own profile behind the families, whichever came first', async () => {
    for (const order of [
      ['url', 'all'],
      ['all', 'url'],
    ]) {
      const the = machineWithHelper();
      setUpProfile(the, 'dev');
      setUpProfile(the, 'prod');
      for (const what of order) {
        await setUp(the, what === 'all' ? { profile: 'dev' } : { url: `${repository}/`, profile: 'prod' });
      }
      expect(await asked(the)).toEqual(['vouch --profile prod']);
      expect(await asked(the, `${repository}2`)).toEqual(['vouch --profile dev']);
      // Without --profile the profiles stay.
      await setUp(the);
      expect(await asked(the)).toEqual(['vouch --profile prod']);
      await setUp(the, { url: repository, remove: true });
      expect(await asked(the)).toEqual(['vouch --profile dev']);
      await setUp(the, { remove: true });
      expect(read(the.config)).toBe('');
    }
  });

  test('--region narrows to the hosts of a region, of its own partition', async () => {
    const the = machineWithHelper();
    await setUp(the, { region: 'cn-north-1' });
    expect(await asked(the, 'https://git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/x')).toEqual(['vouch']);
    expect(await asked(the, 'https://vpce-1.git-codecommit.cn-north-1.vpce.amazonaws.com.cn/v1/repos/x')).toEqual([
      'vouch',
    ]);
    expect(await asked(the, 'https://git-codecommit.cn-northwest-1.amazonaws.com.cn/v1/repos/x')).toEqual([]);
    expect(await asked(the)).toEqual([]);
  });

  test('a second region only adds, and is taken away by itself', async () => {
    const the = machineWithHelper();
    setUpProfile(the, 'dev');
    setUpProfile(the, 'prod');
    await setUp(the);
    await setUp(the, { region: 'eu-west-1', profile: 'prod' });
    const before = read(the.config);
    expect((await setUp(the, { region: 'us-east-1', profile: 'dev' })).stdout).not.toMatch(/^-/m);
    expect(read(the.config).startsWith(before)).toBe(true);
    const removed = await setUp(the, { region: 'eu-west-1', remove: true });
    expect(removed.stdout).not.toMatch(/^[+ ]|us-east-1/m);
    expect(await asked(the)).toEqual(['vouch --profile dev']);
    expect((await setUp(the, { region: 'eu-west-1', remove: true })).stdout).toBe(
      `Nothing of Vouch for eu-west-1 is in ${the.config}, nothing to change\n`,
    );
  });

  test('--url takes an endpoint whose name has more labels than a pattern can be for', async () => {
    const the = machineWithHelper();
    const url = 'https://vpce-1.us-east-1a.git-codecommit.us-east-1.vpce.amazonaws.com';
    await setUp(the);
    expect(await asked(the, url)).toEqual([]);
    await setUp(the, { url });
    expect(await asked(the, `${url}/v1/repos/demo`)).toEqual(['vouch']);
  });

  test.each<[SetupCodeCommitOptions, RegExp]>([
    [{ url: 'https://github.com/x' }, /not the URL of a repository on CodeCommit/],
    [{ url: 'http://git-codecommit.us-east-1.amazonaws.com' }, /not the URL/],
    [{ url: `${repository}/../other` }, /not the URL/],
    [{ url: `${repository}\n[alias]` }, /not the URL/],
    [{ url: 'https://git-codecommit.*.amazonaws.com' }, /not the URL/],
    [{ url: 'https://prod@git-codecommit.us-east-1.amazonaws.com' }, /has a user name in it/],
    [{ url: repository, region: 'us-east-1' }, /cannot be used together/],
    [{ region: 'nowhere' }, /not the name of a region: nowhere/],
    [{ region: 'eu-wets-1' }, /not the name of a region: eu-wets-1/],
    [{ url: 'https://git-codecommit.us-esat-1.amazonaws.com' }, /not the URL/],
    [{ profile: 'nobody' }, /no AWS profile "nobody"[\s\S]*prod \(arn:aws:iam::123456789012:role\/VouchDeveloper\)/],
    [{ profile: 'prod', region: 'cn-north-1' }, /cannot be used for cn-north-1/],
    [
      { profile: 'prod', url: 'https://git-codecommit.cn-north-1.amazonaws.com.cn' },
      /is in the partition aws, and that is in aws-cn/,
    ],
    [{ local: true, global: true }, /three different files/],
  ])('refuses %o', async (options, message) => {
    const the = machineWithHelper();
    setUpProfile(the, 'prod');
    expect(await setUp(the, options)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(existsSync(the.config)).toBe(false);
  });

  test('a store that comes later in the same file is left behind; one in a later file is reported', async () => {
    const the = machineWithHelper();
    await setUp(the);
    writeFileSync(the.config, '[credential]\n\thelper = store\n[user]\n\tname = A\n', { flag: 'a' });
    expect(await asked(the)).toEqual(['vouch', 'store']);
    expect(await setUp(the)).toMatchObject({ code: 0, stderr: '' });
    expect(await asked(the)).toEqual(['vouch']);

    const work = join(the.folder, 'work');
    await run('git', ['init', '-q', work], the.env);
    await run('git', ['-C', work, 'config', 'credential.helper', 'osxkeychain'], the.env);
    const said = await setUp(the, {}, work);
    const place = `(credential.helper in ${join(work, '.git/config')})`;
    const isNew = said.stderr === '';
    // A Git that never stores our password needs no note.
    if (!isNew)
      expect(said.stderr).toContain(`vouch: Git would have the helper "osxkeychain" ${place} store what Vouch gives`);
    await run('git', ['-C', work, 'config', '--replace-all', `credential.${repository}.helper`, ''], the.env);
    await run(
      'git',
      ['-C', work, 'config', '--add', `credential.${repository}.helper`, '!aws codecommit credential-helper $@'],
      the.env,
    );
    const { stderr } = await setUp(the, {}, work);
    expect(stderr).toMatch(
      /Git asks the helper "!aws[^\n]* for https:\/\/git-codecommit\.us-east-1\.amazonaws\.com\/v1\/repos\/demo, and not Vouch\.\n {2}Run `vouch setup codecommit --local` in that repository\./,
    );
    expect(await setUp(the, { local: true }, work)).toMatchObject({ code: 0, stderr: '' });
    expect(await asked(the, repository, work)).toEqual(['vouch']);
  });

  test('--dry-run shows the same diff and writes nothing, --json is for scripts', async () => {
    const the = machineWithHelper();
    const dry = await setUp(the, { dryRun: true });
    expect(existsSync(the.config)).toBe(false);
    expect(dry.stdout).toContain('Nothing was written (--dry-run)');
    const { stdout } = await setUp(the, { json: true });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ file: the.config, scope: 'global', changed: true, dryRun: false, notes: [] });
    const shown = dry.stdout.split('\n').filter((line) => /^[+-] /.test(line));
    expect(
      report.diff.map(({ sign, line }: { sign: string; line: string }) =>
        `${sign} ${line.replace(/^\t/, '    ')}`.trimEnd(),
      ),
    ).toEqual(shown);
    expect(JSON.parse((await setUp(the, { json: true })).stdout)).toMatchObject({ changed: false, diff: [] });
  });

  test('what it writes is at no time open to more people than the file was', async () => {
    const the = machine();
    const file = join(the.folder, 'home/.gitconfig');
    writeFileSync(file, '[http]\n\textraHeader = secret\n', { mode: 0o600 });
    const mode = (path: string) => statSync(path).mode & 0o777;
    const { result } = await changeConfigFile(file, the.env, { dryRun: false }, async (copy) => {
      await copy.add('a.b', 'c', 'd');
      return mode(`${file}.lock`);
    });
    expect([result, mode(file)]).toEqual([0o600, 0o600]);
  });

  test('writes where Git would: a link stays one, modes stay, XDG is followed', async () => {
    const the = machineWithHelper();
    const dotfiles = join(the.folder, 'dotfiles');
    writeFileSync(dotfiles, '[user]\n\tname = A\n');
    chmodSync(dotfiles, 0o640);
    symlinkSync('../dotfiles', the.config);
    await setUp(the);
    expect(lstatSync(the.config).isSymbolicLink()).toBe(true);
    expect(statSync(dotfiles).mode & 0o777).toBe(0o640);
    expect(read(dotfiles)).toContain('helper = vouch');

    const other = machineWithHelper();
    const xdg = join(other.folder, 'home/.config/git/config');
    mkdirSync(dirname(xdg), { recursive: true });
    writeFileSync(xdg, '');
    await setUp(other);
    expect(read(xdg)).toContain('helper = vouch');
    expect(existsSync(other.config)).toBe(false);

    const elsewhere = machineWithHelper();
    elsewhere.env.GIT_CONFIG_GLOBAL = join(elsewhere.folder, 'global');
    elsewhere.env.GIT_CONFIG = join(elsewhere.folder, 'decoy');
    await setUp(elsewhere);
    expect(read(elsewhere.env.GIT_CONFIG_GLOBAL)).toContain('helper = vouch');
    expect(existsSync(elsewhere.env.GIT_CONFIG)).toBe(false);
  });

  test('--system writes the file of the machine, --local that of a repository, from any folder in it', async () => {
    const the = machineWithHelper();
    delete the.env.GIT_CONFIG_NOSYSTEM;
    the.env.GIT_CONFIG_SYSTEM = join(the.folder, 'system');
    await setUp(the, { system: true });
    expect(read(the.env.GIT_CONFIG_SYSTEM)).toContain('helper = vouch');
    const work = join(the.folder, 'work');
    await run('git', ['init', '-q', work], the.env);
    mkdirSync(join(work, 'deep/er'), { recursive: true });
    await setUp(the, { local: true }, join(work, 'deep/er'));
    expect(read(join(work, '.git/config'))).toContain('helper = vouch');
    expect(existsSync(the.config)).toBe(false);
    expect(await setUp(the, { local: true })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no Git repository here'),
    });
  });

  test('refuses without Git, with an old one, with a lock and with a broken file, and leaves everything as it was', async () => {
    const the = machineWithHelper();
    writeFileSync(`${the.config}.lock`, '');
    expect(await setUp(the)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Another program is changing .*\n.*\.gitconfig\.lock\n/),
    });
    expect(await setUp(the, { dryRun: true })).toMatchObject({ code: 0 });
    expect(readdirSync(dirname(the.config))).toEqual(['.gitconfig.lock']);

    const broken = machineWithHelper();
    writeFileSync(broken.config, '[user\n');
    expect(await setUp(broken)).toMatchObject({ code: 1, stderr: expect.stringContaining('bad config line 1') });
    expect(readdirSync(dirname(broken.config))).toEqual(['.gitconfig']);
    expect(read(broken.config)).toBe('[user\n');

    const old = machineWithHelper();
    pretend(old, '2.30.9');
    expect(await setUp(old)).toMatchObject({ code: 1, stderr: expect.stringMatching(/too old.*2\.30\.9.*\n.*2\.31/) });
    old.env.PATH = join(old.folder, 'none');
    expect(await setUp(old)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^vouch: Git is not on your PATH\.\n.*2\.31/),
    });
    expect(existsSync(old.config)).toBe(false);
  });

  test('reads no repository that somebody has put into the folder of temporary files', async () => {
    const the = machineWithHelper();
    const temporary = join(the.folder, 'tmp');
    await run('git', ['init', '-q', temporary], the.env);
    writeFileSync(join(temporary, '.git/config'), '[broken\n');
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await setUp(the)).toMatchObject({ code: 0, stderr: '' });
    expect(await asked(the)).toEqual(['vouch']);
  });

  test('is the same file when Git fails half way', async () => {
    const the = machineWithHelper();
    const text = '[user]\n\tname = A\n';
    writeFileSync(the.config, text);
    // The tenth value fails.
    const count = join(the.folder, 'count');
    writeFileSync(
      join(the.folder, 'bin/git'),
      `#!/bin/sh\ncase "$*" in *--add*) echo x >>${count}; [ $(wc -l <${count}) -lt 10 ] || { echo disk full >&2; exit 4; } ;; esac\nPATH=\${PATH#*:} exec git "$@"\n`,
      { mode: 0o755 },
    );
    expect(await setUp(the)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('disk full') });
    expect(readFileSync(count, 'utf8').length).toBeGreaterThan(18);
    expect(read(the.config)).toBe(text);
    expect(readdirSync(dirname(the.config))).toEqual(['.gitconfig']);
  });

  test('leaves another protocol setting and another git-remote-codecommit, and says so', async () => {
    const the = machineWithHelper();
    writeFileSync(the.config, '[protocol "codecommit"]\n\tallow = never\n');
    const other = join(the.folder, 'bin/git-remote-codecommit');
    writeFileSync(other, '#!/bin/sh\n', { mode: 0o755 });
    const { stderr } = await setUp(the);
    expect(stderr).toContain('protocol.codecommit.allow = never, which was not changed.');
    expect(stderr).toContain(`codecommit:// and not Vouch's: ${other}.`);
    expect(await values(the, 'protocol.codecommit.allow')).toEqual(['never']);
    const { notes } = JSON.parse((await setUp(the, { json: true })).stdout);
    expect(notes[0]).toBe(
      `${the.config} has protocol.codecommit.allow = never, which was not changed. Vouch would set it to always.`,
    );
    const without = machineWithHelper();
    await setUp(without, { remoteHelper: false });
    expect(await values(without, 'protocol.codecommit.allow')).toEqual([]);
  });

  test('--absolute writes paths, as one word each for the shell; without a PATH that has it, it is named', async () => {
    const the = machine();
    expect((await setUp(the)).stderr).toContain('git-credential-vouch is not on your PATH');
    expect(await setUp(the, { absolute: true })).toMatchObject({ code: 0, stderr: '' });
    const [helper = ''] = await asked(the);
    expect(helper).toMatch(/^'?\/.*\/cli\/git-credential-vouch\/git-credential-vouch'? --node '?\//);
    expect(helper).toContain(process.execPath);
    expect(await gitAsksVouch(the.env)).toBe(true);
    await setUp(the, { remove: true });
    expect(read(join(the.folder, 'home/.gitconfig'))).toBe('');
  });
});
