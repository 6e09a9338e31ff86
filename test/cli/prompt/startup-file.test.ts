import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { appendLine, startupFile } from '../../../cli/prompt/startup-file.ts';
import { giveAway } from '../other-users.ts';
import { type Machine, machine, read, root } from '../support.ts';

const bash = 'eval "$(vouch init bash)"';

function machineWith(shell: string, files: Record<string, string> = {}) {
  const the = machine();
  const home = the.env.HOME ?? '';
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  return {
    ...the,
    env: { ...the.env, SHELL: shell } as NodeJS.ProcessEnv,
    home,
    at: (name: string) => join(home, name),
  };
}

describe('startupFile', () => {
  test.each<[string, NodeJS.Platform, string[], string, string]>([
    ['/bin/bash', 'linux', [], '.bashrc', bash],
    ['/bin/bash', 'linux', ['.bash_profile'], '.bashrc', bash],
    ['/bin/bash', 'darwin', [], '.bash_profile', bash],
    // A new .bash_profile would keep bash from reading .profile.
    ['/opt/homebrew/bin/bash', 'darwin', ['.bashrc', '.profile'], '.profile', bash],
    ['/usr/bin/zsh', 'linux', [], '.zshrc', 'eval "$(vouch init zsh)"'],
    ['/usr/bin/fish', 'linux', [], '.config/fish/config.fish', 'vouch init fish | source'],
  ])('of %s on %s with %j is %s', (shell, platform, there, file, line) => {
    const the = machineWith(shell, Object.fromEntries(there.map((name) => [name, '# mine\n'])));
    expect(startupFile(the.env, platform)).toMatchObject({ file: the.at(file), line, hasIt: undefined });
  });

  test('is where the shell looks for it, and unknown for other shells', () => {
    const { env } = machineWith('zsh');
    expect(startupFile({ ...env, ZDOTDIR: '/z' })?.file).toBe('/z/.zshrc');
    expect(startupFile({ ...env, ZDOTDIR: 'relative' })?.file).toBe(join(env.HOME ?? '', '.zshrc'));
    expect(startupFile({ ...env, SHELL: 'fish', XDG_CONFIG_HOME: '/x' })?.file).toBe('/x/fish/config.fish');
    for (const SHELL of ['/bin/dash', '/bin/tcsh', '', undefined])
      expect(startupFile({ ...env, SHELL })).toBe(undefined);
  });

  test.each([
    ['bash', '.bashrc', `# mine\n${bash}`],
    ['bash', '.bash_aliases', `  [ -t 1 ] && eval "$('/opt/vouch/bin/vouch' init bash)"\n`],
    ['bash', '.profile', 'PROMPT_COMMAND=x; eval "$(command vouch  init bash)"\n'],
    ['fish', '.config/fish/conf.d/vouch.fish', 'vouch init fish | source\n'],
  ])('has the line already: %s, %s', (shell, file, text) => {
    const the = machineWith(shell, { [file]: text });
    expect(startupFile(the.env)?.hasIt).toBe(the.at(file));
  });

  test('does not have it in a comment, or for another program', () => {
    const text = `# ${bash}\n  echo hello # vouch init bash\navouch init bash\nvouch status\n`;
    expect(startupFile(machineWith('bash', { '.bashrc': text }).env)).toMatchObject({ hasIt: undefined });
  });
});

describe('appendLine', () => {
  const append = ({ env }: Machine, platform: NodeJS.Platform = 'linux') => {
    const startup = startupFile(env, platform);
    if (startup !== undefined && startup.hasIt === undefined) appendLine(startup, env);
  };

  test('adds one line, once, and changes nothing else of the file', () => {
    const the = machineWith('bash');
    const dotfiles = the.at('dotfiles/bashrc');
    mkdirSync(dirname(dotfiles));
    // In Latin-1, and without a line end.
    const before = Buffer.from('# f\xfcr alle\nalias g=git', 'latin1');
    writeFileSync(dotfiles, before, { mode: 0o640 });
    symlinkSync('dotfiles/bashrc', the.at('.bashrc'));
    const { ino } = statSync(dotfiles);
    append(the);
    append(the);
    expect(readFileSync(dotfiles)).toEqual(Buffer.concat([before, Buffer.from(`\n${bash}\n`)]));
    expect(lstatSync(the.at('.bashrc')).isSymbolicLink()).toBe(true);
    expect(statSync(dotfiles)).toMatchObject({ ino, mode: 0o100640 });
  });

  test('looks again before it writes, also into a long file, and leaves one that is too long', () => {
    const long = `${'# a comment\n'.repeat(200_000)}`;
    const the = machineWith('bash', { '.bashrc': `${long}${bash}\n` });
    append(the);
    expect(statSync(the.at('.bashrc')).size).toBe(long.length + bash.length + 1);
    writeFileSync(the.at('.bashrc'), Buffer.alloc(16 * 1024 * 1024 + 1, '#'));
    expect(() => append(the)).toThrow(expect.objectContaining({ kind: 'not-written' }));
  });

  test('makes the file if there is none, with its folder', () => {
    const the = machineWith('fish');
    append(the);
    expect(read(the.at('.config/fish/config.fish'))).toBe('vouch init fish | source\n');
  });

  test('bash then shows the session in its prompt', () => {
    const the = machineWith('bash', { '.bashrc': 'alias g=git' });
    const vouch = `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'cli/vouch/command-line.ts')}' "$@"\n`;
    writeFileSync(join(the.folder, 'bin/vouch'), vouch, { mode: 0o755 });
    append(the);
    const { stdout } = spawnSync('bash', ['-ic', 'declare -F __vouch_prompt'], { env: the.env, encoding: 'utf8' });
    expect(stdout).toBe('__vouch_prompt\n');
  });

  test('leaves a file of others, and what is no file, and says how to do it by hand', () => {
    const others = machineWith('bash', { '.bashrc': '# theirs\n' });
    const { owner, me } = giveAway(others.at('.bashrc'));
    expect(() => append(others)).toThrow(
      expect.objectContaining({
        kind: 'file-of-others',
        why: `${others.at('.bashrc')} belongs to user ${owner}, and you are user ${me}.`,
        fix: expect.stringContaining(bash),
      }),
    );
    expect(read(others.at('.bashrc'))).toBe('# theirs\n');

    const folder = machineWith('bash', { '.bashrc/file': '' });
    expect(() => append(folder)).toThrow(expect.objectContaining({ kind: 'file-of-others' }));
  });

  test('leaves a file outside the home folder, to which a link leads', () => {
    const the = machineWith('bash');
    for (const name of ['bash.bashrc', 'new']) {
      const file = join(the.folder, name);
      if (name !== 'new') writeFileSync(file, '# for all\n');
      const link = { ...the, env: { ...the.env, HOME: join(the.folder, `home-${name}`) } };
      mkdirSync(link.env.HOME);
      symlinkSync(file, join(link.env.HOME, '.bashrc'));
      expect(() => append(link)).toThrow(
        expect.objectContaining({ kind: 'file-of-others', why: expect.stringContaining('not in your home folder') }),
      );
    }
    expect(read(join(the.folder, 'bash.bashrc'))).toBe('# for all\n');
  });

  test('writes nothing if the disk cannot take it', () => {
    const the = machineWith('bash');
    symlinkSync('loop', the.at('.bashrc'));
    symlinkSync('loop', the.at('loop'));
    expect(() => append(the)).toThrow(
      expect.objectContaining({ kind: 'not-written', fix: expect.stringContaining(bash) }),
    );
  });
});
