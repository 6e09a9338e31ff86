import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { contextLines } from '../../../cli/agent/protocol/git-request.ts';
import { gitUrlPatterns } from '../../../cli/aws/codecommit/hosts.ts';
import { gitVersion, isAtLeast, takesEphemeral } from '../../../cli/git/git.ts';
import { sectionOfHost } from '../../../cli/git/section-of-host.ts';
import { normalizeUrl, urlMatches } from '../../../cli/git/url-match.ts';
import { gitSocket } from '../../../cli/runtime-folder/runtime-folder.ts';
import { machine, root, run } from '../support.ts';
import { shells } from './shells.ts';

/** The rules that the credential helper's script shares with TypeScript: both get the same inputs, and must give the same answers. */

/** The parent of logind's folders in this test. */
const logind = vi.hoisted(() => ({ runUser: '' }));
vi.mock('../../../cli/runtime-folder/run-user.ts', () => logind);

const script = readFileSync(join(root, 'cli/git-credential-vouch/git-credential-vouch'), 'utf8');

/** The text of one function of the script. */
function scriptFunction(name: string): string {
  const text = new RegExp(`^${name}\\(\\) \\{\\n(?:.*\\n)*?\\}$`, 'm').exec(script)?.[0];
  if (text === undefined) throw new Error(`the script has no function ${name}`);
  return text;
}

/** Runs some of the script's functions, and gives back what the commands behind them print. */
async function inShell(shell: string, functions: string[], commands: string, env: NodeJS.ProcessEnv): Promise<string> {
  const [command = '', ...args] = shell.split(' ');
  const { code, stdout, stderr } = await run(command, [...args, '-c', [...functions, commands].join('\n')], env);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** A word of a shell. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

describe.each(shells)('the script, in %s,', (shell) => {
  test.each([
    ['plain', { profile: 'prod', AWS_PROFILE: 'test', AWS_CONFIG_FILE: '/etc/aws config' }],
    ['nothing', {}],
    ['empty', { profile: '', AWS_PROFILE: '', AWS_CONFIG_FILE: '' }],
    ['a line more', { profile: 'a\nhost=evil.example', AWS_PROFILE: 'a\nusername=b', AWS_CONFIG_FILE: '/a\nb' }],
    ['a carriage return', { profile: 'a\rb', AWS_PROFILE: '\r', AWS_CONFIG_FILE: '/a\r' }],
    ['a line end', { profile: 'a\n', AWS_PROFILE: '\n', AWS_CONFIG_FILE: '/\n' }],
    ['what shells read', { profile: '$(id) `id` "\'\\n *', AWS_PROFILE: '; exit 1', AWS_CONFIG_FILE: '/$HOME/~/*' }],
    ['other characters', { profile: 'é ü\t😀', AWS_PROFILE: '\u001b[31m', AWS_CONFIG_FILE: '/ü' }],
    ['what looks like an option', { profile: '--node', AWS_PROFILE: '-n', AWS_CONFIG_FILE: '-' }],
    ['a relative file', { AWS_CONFIG_FILE: 'config' }],
    ['a file below the home folder', { AWS_CONFIG_FILE: '~/aws/config' }],
    ['a file beside the home folder', { AWS_CONFIG_FILE: '~/../aws//config' }],
    ['a home folder with a slash at its end', { AWS_CONFIG_FILE: '~/config', HOME: '/tmp/' }],
    ['another user’s home folder', { AWS_CONFIG_FILE: '~bob/config' }],
  ])('sends what the Node program sends, byte for byte: %s', async (_, { profile, ...more }: NodeJS.ProcessEnv) => {
    const functions = ['context_lines', 'add_line'].map(scriptFunction);
    for (const LC_ALL of ['C', 'C.UTF-8']) {
      const env = { ...machine().env, ...more, LC_ALL };
      const commands = `newline=${quoted('\n')} profile=$given; context_lines; printf %s "$context"`;
      const said = await inShell(shell, functions, commands, { ...env, given: profile });
      expect(said).toBe(contextLines({ profile }, env));
    }
  });

  test.each(['XDG_RUNTIME_DIR', 'logind’s folder', 'XDG_CACHE_HOME', 'the home folder', 'two folders', 'none'])(
    'finds the runtime folder that the Node program finds, with an agent in %s',
    async (place) => {
      const { folder, env } = machine();
      logind.runUser = join(folder, 'user');
      const places = {
        XDG_RUNTIME_DIR: join(folder, 'run'),
        'logind’s folder': join(logind.runUser, String(process.getuid?.())),
        XDG_CACHE_HOME: join(folder, 'cache'),
        'the home folder': join(folder, 'home/.cache'),
      };
      const settled = Object.entries(places).filter(([name]) => name === place || place === 'two folders');
      for (const path of Object.values(places)) mkdirSync(path, { recursive: true, mode: 0o700 });
      for (const [, path] of settled) {
        mkdirSync(join(path, 'vouch'));
        for (const name of ['agent.sock', 'git.sock']) {
          const server = createServer();
          await new Promise<void>((resolve) => server.listen(join(path, 'vouch', name), resolve));
          onTestFinished(() => void server.close());
        }
      }
      const file = join(folder, 'file');
      writeFileSync(file, '');

      const inputs = [undefined, '', 'run', './run', join(folder, 'none'), file, `${folder}/run`, `${folder}/run/`]
        .flatMap((XDG_RUNTIME_DIR) =>
          [logind.runUser, join(folder, 'none')].map((runUser) => ({ XDG_RUNTIME_DIR, runUser })),
        )
        .flatMap((input) =>
          [undefined, '', 'cache', join(folder, 'cache'), join(folder, 'none')].map((XDG_CACHE_HOME) => ({
            ...input,
            XDG_CACHE_HOME,
          })),
        );
      // One shell for all of them.
      const commands = inputs.map(({ runUser, ...variables }) => {
        const set = Object.entries(variables).map(([name, value]) =>
          value === undefined ? `unset ${name}` : `${name}=${quoted(value)}`,
        );
        const text = scriptFunction('runtime_folder').replace(' /run/user/', ` ${runUser}/`);
        return `(\n${text}\n${set.join('; ')}; runtime_folder; echo "$folder"\n)`;
      });
      const found = await inShell(shell, [], commands.join('\n'), env);

      const expected = inputs.map(({ runUser, ...variables }) => {
        logind.runUser = runUser;
        const socket = gitSocket({ ...env, ...variables });
        return existsSync(socket) ? dirname(socket) : '';
      });
      expect(
        found
          .replace(/\n$/, '')
          .split('\n')
          .map((path) => path && normalize(path)),
      ).toEqual(expected);
      expect(new Set(expected).size).toBeGreaterThan(place === 'none' ? 0 : 1);
    },
  );

  test.each(['', '.', 'home', undefined])(
    'leaves it to the Node program to find a folder where HOME is %j',
    async (HOME) => {
      const { env } = machine();
      const commands = `${HOME === undefined ? 'unset HOME' : `HOME=${HOME}`}; runtime_folder; echo "$folder"`;
      expect(await inShell(shell, [scriptFunction('runtime_folder')], commands, env)).toBe('\n');
    },
  );

  test.each([
    ...gitUrlPatterns().map(({ pattern }) =>
      pattern.replace('https://', '').replace('*', 'vpce-1-a').replace('*', 'eu-west-1'),
    ),
    ...gitUrlPatterns().map(({ pattern }) => pattern.replace('https://', '').replaceAll('*', 'us-gov-west-1')),
    'vpce-1.a.git-codecommit.us-east-1.vpce.amazonaws.com',
    'a.b.c.git-codecommit-fips.us-east-1.vpce.amazonaws.com',
    'github.com',
    'localhost',
    'codecommit.us-east-1.amazonaws.com',
    'git-codecommit.amazonaws',
    '',
  ])('finds the section that setup writes for the host %j', async (host) => {
    const found = await inShell(
      shell,
      [scriptFunction('section_of_host')],
      `host=$1; section_of_host; echo "$section"`.replace('$1', quoted(host)),
      machine().env,
    );
    expect(found).toBe(`${sectionOfHost(host)?.replace('https://', '') ?? host}\n`);
  });

  // Setup writes no section for these, but a person may have written the one that the script takes.
  test.each([
    'git-codecommit.us-east-1.evil.example',
    'git-codecommit.us-east-1.amazonaws.com:443',
    'git-codecommit.us-east-1.amazonaws.com:8443',
    'vpce-1.git-codecommit.us-east-1.vpce.amazonaws.com:8443',
    'x.git-codecommit.y.z',
    'git-codecommit-fips.a.b.c.d',
  ])('takes for the host %j a section that Git would take for it', async (host) => {
    const found = await inShell(
      shell,
      [scriptFunction('section_of_host')],
      `host=${quoted(host)}; section_of_host; echo "$section"`,
      machine().env,
    );
    const [url, section] = [
      normalizeUrl(`https://${host}`),
      normalizeUrl(`https://${found.trim()}`, { pattern: true }),
    ];
    expect(url && section && urlMatches(url, section)).toBe(true);
  });

  test.each([
    ...['2.46.0', '2.46', '2.46.GIT', '2.46-rc1', '2.47.3', '2.49.1', '2.50.1.windows.1', '2.50.1 (Apple Git-155)'],
    ...[
      '2.53.0',
      '2.53',
      '2.54.0',
      '2.54',
      '2.54.0.rc0',
      '2.59.9',
      '2.60.0',
      '2.99.0',
      '2.100.0',
      '2.460.0',
      '2.530.1',
    ],
    ...['3.0.0', '3.46.0', '12.46.0', '20.50.0'],
  ])('decides about Git %s as the Node program does', async (version) => {
    const the = machine();
    writeFileSync(join(the.folder, 'bin/git'), `#!/bin/sh\necho "git version ${version}"\n`, { mode: 0o755 });
    const known = await gitVersion(the.env);
    // Only a Git that announces the form is asked about.
    expect(isAtLeast(known, [2, 46])).toBe(true);
    const exe = `"exe":"${version}"`;
    for (const line of [
      exe,
      `{"event":"version","sid":"20260101T024600.2.46.0-P1","thread":"main","evt":"3",${exe}}`,
    ]) {
      const commands = `takes_ephemeral ${quoted(line)} && echo true || echo false`;
      const found = await inShell(shell, [scriptFunction('takes_ephemeral')], commands, the.env);
      expect(found).toBe(`${takesEphemeral(known)}\n`);
    }
  });
});

test('the script keeps the same NODE_OPTIONS as the first lines of our programs', () => {
  const loopOf = (text: string) =>
    /^( *)for option in \$NODE_OPTIONS; do\n.*?^\1done$/ms.exec(text)?.[0].replaceAll(/^ +/gm, '');
  expect(loopOf(script)).toContain('--use-system-ca');
  expect(loopOf(script)).toBe(loopOf(readFileSync(join(root, 'program-start.sh'), 'utf8')));
});
