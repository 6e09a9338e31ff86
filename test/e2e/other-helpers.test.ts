import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { putSession } from '../../cli/agent/client/requests.ts';
import { serve } from '../../cli/agent/serve.ts';
import { type Issuer, startIssuer, temporaryFolder, trustIssuer } from '../aws/fixtures.ts';
import { type LocalAws, startLocalAws } from '../aws/start.ts';
import {
  type Finished,
  installHelper,
  json,
  type Machine,
  machine,
  newSession,
  root,
  run,
  services,
  setUpProfile,
} from '../cli/support.ts';

type Level = 'system' | 'global' | 'local';

interface World extends Machine {
  aws: LocalAws;
  url: string;
  git(args: string[], cwd?: string): Promise<Finished>;
  vouch(args: string[], cwd?: string): Promise<Finished>;
}

/** A signed-in developer's machine with its own system-wide Git configuration, and the local AWS with an empty repository. */
async function world(): Promise<World> {
  const the = machine();
  installHelper(the);
  setUpProfile(the);
  const folder = await temporaryFolder();
  const aws = await startLocalAws({ folder: folder.path });
  const issuer = await startIssuer();
  trustIssuer(aws, issuer);
  const identity = await services();
  identity.answers.token = async (response) =>
    json(response, 200, { token: await tokenFor(issuer), expiresAt: new Date(Date.now() + 300_000).toISOString() });

  delete the.env.GIT_CONFIG_NOSYSTEM;
  Object.assign(the.env, { GIT_CONFIG_SYSTEM: join(the.folder, 'system'), GIT_TERMINAL_PROMPT: '0' });
  the.env.AWS_ENDPOINT_URL_STS = aws.stsUrl;
  const running = await serve({ env: the.env, now: () => Date.now() });
  onTestFinished(async () => {
    running?.end();
    await run('git', ['credential-cache', 'exit'], the.env);
    await issuer.close();
    await aws.close();
    await folder.remove();
  });
  await putSession(newSession(identity.url), the.env);

  const settings = [
    ['user.name', 'Alice'],
    ['user.email', 'a@example.com'],
    ['init.defaultBranch', 'main'],
  ] as const;
  for (const [key, value] of [...settings, ...aws.gitConfig])
    await run('git', ['config', '--global', key, value], the.env);
  const { url } = await aws.createRepository({ name: 'demo' });
  const inFolder = (cwd = the.env.HOME ?? '') => ['-C', cwd];
  return {
    ...the,
    aws,
    url,
    git: (args, cwd) => run('git', [...inFolder(cwd), ...args], the.env),
    // `vouch` has no option like `git -C`, so a shell changes the folder.
    vouch: (args, cwd = the.env.HOME ?? '') =>
      run(
        '/bin/sh',
        ['-c', 'cd "$0" && exec "$@"', cwd, process.execPath, join(root, 'cli/vouch/command-line.ts'), ...args],
        the.env,
      ),
  };
}

const tokenFor = (issuer: Issuer) =>
  issuer.token({
    'https://aws.amazon.com/roles': ['arn:aws:iam::123456789012:role/VouchDeveloper'],
    'https://aws.amazon.com/source_identity': 'alice@example.com',
  });

/** Makes Git keep passwords for every URL, on the disk and in its cache. */
async function configureStores(the: World, level: Level, cwd?: string): Promise<void> {
  for (const helper of ['store', 'cache'])
    await the.git(['config', `--${level}`, '--add', 'credential.helper', helper], cwd);
}

/** Runs Git until it works; whenever Vouch refuses, runs the command that it suggests. */
async function persist(the: World, args: string[], cwd: string): Promise<{ refusals: string[] }> {
  const refusals: string[] = [];
  for (;;) {
    const { code, stderr } = await the.git(args, cwd);
    if (code === 0) return { refusals };
    expect(stderr).toMatch(
      /^vouch: Git would have the helper "(store|cache)" \(credential\S*\.helper in \S+\) store what Vouch gives/m,
    );
    const [, command = 'none'] = /^vouch: Run `vouch ([^`]*)`/m.exec(stderr) ?? [];
    refusals.push(command);
    expect(refusals.length, stderr).toBeLessThan(3);
    const done = await the.vouch(command.split(' '), cwd);
    expect(done, stderr).toMatchObject({ code: 0, stderr: '' });
  }
}

/** Everything that Git's own helpers hold for CodeCommit, for any path. */
async function stored(the: World): Promise<string> {
  const request = 'protocol=https\nhost=git-codecommit.us-east-1.amazonaws.com\n\n';
  let found = '';
  for (const helper of ['store', 'cache'])
    found += (await run('git', [`credential-${helper}`, 'get'], the.env, request)).stdout;
  try {
    found += readFileSync(join(the.env.HOME ?? '', '.git-credentials'), 'utf8');
  } catch {
    // There is no such file, as it should be.
  }
  return found;
}

const orders = (['system', 'global', 'local'] as const).flatMap((level) =>
  (['system', 'global', 'local'] as const).flatMap((setup) =>
    (['before', 'after'] as const).map((order) => ({ level, setup, order })),
  ),
);

describe("Git's own store and cache keep nothing of Vouch's", () => {
  test.each(orders)(
    'configured at $level level, $order Vouch is set up at $setup level',
    async ({ level, setup, order }) => {
      const the = await world();
      const work = join(the.folder, 'work');
      await the.git(['init', '--quiet', work]);
      await the.git(['remote', 'add', 'origin', the.url], work);
      if (order === 'before') await configureStores(the, level, work);
      expect(await the.vouch(['setup', 'codecommit', `--${setup}`], work)).toMatchObject({ code: 0 });
      if (order === 'after') await configureStores(the, level, work);

      await persist(the, ['fetch', '--quiet'], work);
      await the.git(['commit', '--quiet', '--allow-empty', '-m', 'first'], work);
      await persist(the, ['push', '--quiet', 'origin', 'main'], work);
      const elsewhere = setup === 'local' || level === 'local' ? [] : [the.folder];
      for (const cwd of elsewhere) await persist(the, ['clone', '--quiet', the.url, 'clone'], cwd);
      expect(await stored(the)).toBe('');
      expect(
        the.aws.log.filter(({ action, outcome }) => action === 'GitPush' && outcome === 'OK').length,
      ).toBeGreaterThan(0);
    },
  );

  test('nor in a clone whose own configuration, or command line, makes Git store', async () => {
    const the = await world();
    await the.vouch(['setup', 'codecommit']);
    const ephemeral = (await the.git(['version'])).stdout.match(/(\d+)\.(\d+)/);
    const isOld = Number(ephemeral?.[1]) === 2 && Number(ephemeral?.[2]) < 54;
    for (const args of [
      ['clone', '-c', 'credential.helper=store', the.url, 'one'],
      ['-c', 'credential.helper=store', 'clone', the.url, 'two'],
    ]) {
      const { code, stderr } = await the.git(args);
      expect([code, /^vouch: (Leave that out|Run `vouch setup codecommit --local)/m.test(stderr)]).toEqual(
        isOld ? [128, true] : [0, false],
      );
    }
    expect(await stored(the)).toBe('');
  });

  test('the same stores do keep a password from elsewhere, so these tests would notice', async () => {
    const the = await world();
    await configureStores(the, 'global');
    await run('git', ['credential', 'approve'], the.env, `url=${the.url}\nusername=u\npassword=p\n\n`);
    const found = await stored(the);
    expect(found).toContain('password=p');
    expect(found).toContain('https://u:p@git-codecommit');
  });
});

describe('git-credential-vouch with a Git that hands credentials to every helper', () => {
  const host = 'git-codecommit.us-east-1.amazonaws.com';
  const family = 'credential "https://git-codecommit.*.amazonaws.com"';
  const request = `protocol=https\nhost=${host}\npath=v1/repos/demo\n`;

  const ours = `[${family}]\n\thelper =\n\thelper = vouch\n\tuseHttpPath = true\n`;
  const store = '[credential]\n\thelper = store\n';
  const table: [what: string, config: string, expected: 'fast' | 'refused' | 'decided'][] = [
    ['nothing at all', '', 'fast'],
    ['our section', ours, 'fast'],
    ['our section with a profile', ours.replace('= vouch', '= vouch --profile vouch'), 'fast'],
    ['our section with paths', ours.replace('= vouch', '= BIN/git-credential-vouch --node /b/node'), 'fast'],
    ['our section with a path where nothing is', ours.replace('= vouch', '= /a/git-credential-vouch'), 'decided'],
    [
      'our section with quoted paths',
      ours.replace('= vouch', '= "!\'/a b/git-credential-vouch\' --node /b/node"'),
      'decided',
    ],
    ['our section behind a store', store + ours, 'fast'],
    [
      'two of ours behind a store',
      `${store}${ours}[credential "https://${host}/"]\n\thelper =\n\thelper = vouch\n`,
      'fast',
    ],
    ["another host's store behind", `${ours}[credential "https://github.com"]\n\thelper = store\n`, 'fast'],
    ['a store behind that is cleared', `${ours}${store}\thelper =\n\thelper = vouch\n`, 'fast'],
    ['a store behind', ours + store, 'refused'],
    ['a store in our section', `${ours}\thelper = store\n`, 'refused'],
    ['a store for a narrower URL behind', `${ours}[credential "https://${host}/v1"]\n\thelper = store\n`, 'refused'],
    ['a store for a part of the URL behind', `${ours}[credential "${host}"]\n\thelper = store\n`, 'refused'],
    ['a store for the host with a dot behind', `${ours}[credential "https://${host}."]\n\thelper = store\n`, 'refused'],
    [
      'a store for a path of the host with a dot behind',
      `${ours}[credential "https://*.us-east-1.*.com.:443/v1/"]\n\thelper = store\n`,
      'refused',
    ],
    [
      'a store that a section with two dots does not clear',
      `${store}[credential "https://${host}.."]\n\thelper =\n\thelper = vouch\n`,
      'refused',
    ],
    ['a store for a wider pattern behind', `${ours}[credential "https://*.*.*.*"]\n\thelper = store\n`, 'refused'],
    [
      'a store for capitals behind',
      `${ours}[credential "HTTPS://${host.toUpperCase()}"]\n\thelper = store\n`,
      'refused',
    ],
    ['an absolute path behind', `${ours}[credential]\n\thelper = /usr/lib/git-core/git-credential-store\n`, 'refused'],
    ['a store behind another word', `${ours}[credential]\n\thelper = "vouch; git credential-store"\n`, 'refused'],
    [
      'a store that a cleared neighbour does not clear',
      `${store}[credential "https://git-codecommit.eu-west-1.amazonaws.com"]\n\thelper =\n\thelper = vouch\n`,
      'refused',
    ],
    [
      'a store that a family of another shape does not clear',
      `${store}[credential "https://*.amazonaws.com"]\n\thelper =\n\thelper = vouch\n`,
      'refused',
    ],
    [
      'a store that a pattern of a path does not clear',
      `${store}[credential "https://${host}/v1/repos/other"]\n\thelper =\n`,
      'refused',
    ],
    ["AWS's helper behind", `${ours}[credential]\n\thelper = "!aws codecommit credential-helper $@"\n`, 'decided'],
    ['a script around Vouch', '[credential]\n\thelper = "!f() { git-credential-vouch \\"$@\\"; }; f"\n', 'decided'],
    [
      'a store for another repository',
      `${ours}[credential "https://${host}/v1/repos/other"]\n\thelper = store\n`,
      'decided',
    ],
    ['a store for another port', `${ours}[credential "https://${host}:8443"]\n\thelper = store\n`, 'decided'],
    [
      "another host's value of two lines",
      `${ours}[credential "https://github.com"]\n\thelper = "!f() {\\n git credential-store; }; f"\n`,
      'fast',
    ],
    ['a store for https', `${ours}[credential "https://"]\n\thelper = store\n`, 'refused'],
    ['a store for a path of any host', `${ours}[credential "https:///v1/repos/demo"]\n\thelper = store\n`, 'refused'],
    [
      'a store for a host with an escape',
      `${ours}[credential "https://${host.replace('.ama', '.%61ma')}"]\n\thelper = store\n`,
      'refused',
    ],
    [
      'a store whose file is called as our helper',
      `${ours}[credential]\n\thelper = /usr/lib/git-core/git-credential-store --file=x/git-credential-vouch\n`,
      'refused',
    ],
    [
      'a store that ends as the name of a setting',
      `${ours}[credential "https://${host}"]\n\thelper = "store --file=x.helper "\n`,
      'refused',
    ],
    [
      'a value whose second line looks like an empty helper',
      `${ours}[credential]\n\thelper = "!git credential-store $1 #\\ncredential.helper "\n`,
      'refused',
    ],
    [
      "a store on the line after AWS's helper",
      `${ours}[credential]\n\thelper = "!aws codecommit credential-helper $@\\ngit credential-store $@ #"\n`,
      'refused',
    ],
    [
      'a store that mentions Vouch',
      '[credential]\n\thelper = "!git credential-store $@ #git-credential-vouch"\n',
      'refused',
    ],
    [
      'a store behind Vouch in one command',
      '[credential]\n\thelper = "!git-credential-vouch \\"$@\\"; git credential\\\\-store \\"$@\\""\n',
      'refused',
    ],
    ['a pipe behind Vouch', '[credential]\n\thelper = "!git-credential-vouch \\"$@\\" | tee log"\n', 'refused'],
    [
      'a store behind what looks like a quote',
      `${ours}[credential]\n\thelper = "vouch --profile \\\\';git-credential-store>'/dev/null'"\n`,
      'refused',
    ],
    [
      'another program that is called as ours',
      `${ours}[credential]\n\thelper = OTHER/git-credential-vouch\n`,
      'refused',
    ],
    [
      'another program that is called as ours, as a command',
      `${ours}[credential]\n\thelper = "!'OTHER/git-credential-vouch' \\"$@\\""\n`,
      'refused',
    ],
    [
      'an include that is called as ours',
      `[includeIf "onbranch:x"]\n\tpath = BIN/git-credential-vouch\n${ours}`,
      'decided',
    ],
    ['a setting that only a repository has', `[extensions]\n\tworktreeConfig = true\n${ours}`, 'decided'],
    ['an include for one branch', `[includeIf "onbranch:x"]\n\tpath = y\n${ours}`, 'decided'],
    [
      'lines that look like an answer',
      `${ours}[credential "https://github.com"]\n\thelper = "!echo\\nusername=u\\npassword=p"\n`,
      'fast',
    ],
    ['quotes that look like the end', `${ours}[credential]\n\thelper = "x\\",\\"value\\":\\"vouch\\"}"\n`, 'refused'],
    [
      'a store that a name with another one in it does not clear',
      `${store}\thelper = vouch\n[credential "x\\"credential.https://${host}"]\n\thelper =\n`,
      'refused',
    ],
    [
      'a store that a name with the shortest one in it does not clear',
      `${store}\thelper = vouch\n[credential "x\\"credential"]\n\thelper =\n`,
      'refused',
    ],
  ];

  test('answers by itself where that is certainly safe, asks Node otherwise, and gives nothing that another helper would store', async () => {
    const the = await world();
    const node = join(the.folder, 'bin/node');
    writeFileSync(node, `#!/bin/sh\ntouch ${node}.started\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
    const other = join(the.folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'git-credential-vouch'), '#!/bin/sh\nexec git-credential-store "$@"\n', { mode: 0o755 });
    const found: string[] = [];
    for (const [what, config] of table) {
      const text = config.replaceAll('BIN', join(the.folder, 'bin')).replaceAll('OTHER', other);
      writeFileSync(join(the.env.HOME ?? '', '.gitconfig'), text);
      rmSync(`${node}.started`, { force: true });
      const { stdout } = await run(join(the.folder, 'bin/git-credential-vouch'), ['get'], the.env, request);
      const byNode = existsSync(`${node}.started`);
      const gave = /^password=\d{8}T/m.test(stdout);
      const how = gave ? (byNode ? 'decided' : 'fast') : stdout === 'quit=1\n' ? 'refused' : stdout;
      found.push(`${what}: ${how}`);
    }
    expect(found).toEqual(table.map(([what, , expected]) => `${what}: ${expected}`));
  });

  test('a section for a user name does not clear a store when Git has that name from its configuration', async () => {
    const the = await world();
    writeFileSync(
      join(the.env.HOME ?? '', '.gitconfig'),
      `${ours}[credential]\n\thelper = store\n\tusername = vouch\n[credential "https://vouch@${host}"]\n\thelper =\n\thelper = vouch\n`,
    );
    const { stdout, stderr } = await run('git', ['credential', 'fill'], the.env, request);
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(/^vouch: Git would have the helper "store"/)]);
  });

  test('a Git alias credential-vouch counts only if Git finds no program git-credential-vouch on the PATH', async () => {
    const the = await world();
    const alias = '[alias]\n\tcredential-vouch = !git credential-store\n';
    writeFileSync(join(the.env.HOME ?? '', '.gitconfig'), ours + alias);
    const script = join(the.folder, 'package/cli/git-credential-vouch/git-credential-vouch');
    const ask = (env: NodeJS.ProcessEnv) => run(script, ['get'], env, request);
    expect((await ask(the.env)).stdout).toMatch(/^username=/);
    // As in an editor that has only the helper's path.
    const PATH = the.env.PATH?.split(':').slice(1).join(':');
    expect(await ask({ ...the.env, PATH })).toMatchObject({
      stdout: 'quit=1\n',
      stderr: expect.stringMatching(/^vouch: Git would have the helper "vouch"/),
    });
    writeFileSync(join(the.env.HOME ?? '', '.gitconfig'), ours);
    expect((await ask({ ...the.env, PATH })).stdout).toMatch(/^username=/);
  });

  test('refuses if Git cannot read its configuration', async () => {
    const the = await world();
    writeFileSync(join(the.env.HOME ?? '', '.gitconfig'), '[credential\n');
    const { stdout, stderr } = await run(join(the.folder, 'bin/git-credential-vouch'), ['get'], the.env, request);
    expect(stdout).toBe('quit=1\n');
    expect(stderr).toContain('bad config line 1');
  });
});
