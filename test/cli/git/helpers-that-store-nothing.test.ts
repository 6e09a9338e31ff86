import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAwsHelper, storesNothing } from '../../../cli/git/helpers-that-store-nothing.ts';
import { machine, root, run } from '../support.ts';

const script = join(root, 'cli/git-credential-vouch/git-credential-vouch');

describe('a helper is certain to store nothing:', () => {
  test.each([
    ['vouch', true],
    ['vouch --profile prod', true],
    ["vouch --profile 'a b'", true],
    [script, true],
    [`!${script} "$@"`, true],
    [`!'${script}' --node /n --profile p`, true],
    ['!git-credential-vouch', true],
    ['!git-credential-vouch "$@"', true],
    ['!git-credential-vouch $@', true],
    ['!f() { git-credential-vouch "$@"; }; f', true],
    ['!f(){ git-credential-vouch "$@"; }; f', true],
    ['!vouch_2 () {  git-credential-vouch;};vouch_2', true],
    ['! f() { git-credential-vouch "$@"; } ; f ', true],
    ['!\tgit-credential-vouch', true],
    ['!f () { AWS_PROFILE=prod git-credential-vouch --profile p "$@" ; } ; f', true],
    ['!AWS_PROFILE=prod git-credential-vouch', true],
    // Nothing is there, so nothing is started.
    [`${root}/none/git-credential-vouch`, true],
    ['store', false],
    ['', false],
    ['!git-credential-vouch "$@"; git credential\\-store', false],
    ['!git-credential-vouch "$@" | tee log', false],
    ['!git-credential-vouch "$@" >log', false],
    ['!git-credential-vouch "$@" & git-credential-store "$@"', false],
    ['!git-credential-vouch "$(tee log)"', false],
    ['!git-credential-vouch "`tee log`"', false],
    ['!git-credential-vouch --profile <(tee log)', false],
    ['!git-credential-vouch "$@"\ntee log', false],
    ["vouch --profile \\';git-credential-store>'/dev/null'", false],
    ["vouch --profile \\';tee\\'", false],
    ['vouch --profile "\\";tee log"', false],
    ['vouch --profile $x', false],
    ['!f() { git-credential-vouch "$@"; tee log; }; f', false],
    ['!f() { git-credential-vouch "$@"; }; g', false],
    ['!f() { git-credential-vouch "$@"; }; f; tee log', false],
    ['!PATH=/evil git-credential-vouch', false],
    ['!sh -c git-credential-vouch', false],
    ['!./git-credential-vouch', false],
    ['!~/bin/git-credential-vouch', false],
    ['x/vouch', false],
    // Git would start `git credential-` with the argument vouch.
    [' vouch', false],
    // Git would look for `git credential-xgit-…`.
    ['xgit-credential-vouch', false],
    ['!git- AWS_PROFILE=x credential-vouch', false],
    ['!git-credential- "$@" vouch', false],
    // To a shell this is not a blank, but part of the program's name.
    ['!\u00a0git-credential-vouch', false],
    ['!\u00a0f() { git-credential-vouch; }; f', false],
    ['!\u00a0aws codecommit credential-helper $@', false],
    ['!git credential-store $@ #git-credential-vouch', false],
    ['!aws codecommit credential-helper $@', true],
    ['!aws codecommit credential-helper $@ | tee log', false],
    ['!x/aws codecommit credential-helper $@', false],
  ])('%s: %s', (value, expected) => {
    expect(storesNothing(value)).toBe(expected);
  });

  test('another program at a path that is called as ours is not, a copy and a link are', () => {
    const the = machine();
    const at = (name: string) => {
      const file = join(the.folder, name, 'git-credential-vouch');
      mkdirSync(dirname(file));
      return file;
    };
    const [copy, link, other, changed] = [at('copy'), at('link'), at('other'), at('changed')];
    copyFileSync(script, copy);
    symlinkSync(script, link);
    writeFileSync(other, '#!/bin/sh\ntee log\n', { mode: 0o755 });
    writeFileSync(changed, readFileSync(script, 'utf8').replace(/.$/m, 'X'), { mode: 0o755 });
    expect([copy, link, other, changed, the.folder].map(storesNothing)).toEqual([true, true, false, false, false]);
    expect(storesNothing(`!'${other}' "$@"`)).toBe(false);
  });

  test('nor is a file that cannot be read, and a pipe is not waited for', () => {
    const the = machine();
    const at = (name: string) => join(the.folder, name, 'git-credential-vouch');
    for (const name of ['loop', 'pipe', 'folder']) mkdirSync(join(the.folder, name));
    symlinkSync('git-credential-vouch', at('loop'));
    execFileSync('mkfifo', [at('pipe')]);
    mkdirSync(at('folder'));
    expect([at('loop'), at('pipe'), at('folder')].map(storesNothing)).toEqual([false, false, false]);
  });

  test.each([
    ['!aws codecommit credential-helper $@', true],
    ['!aws --profile prod codecommit credential-helper $@', true],
    ['!/usr/local/bin/aws codecommit credential-helper --ignore-host-check "$@"', true],
    ['! aws --debug codecommit credential-helper', true],
    ['!aws.exe codecommit credential-helper', true],
    ['!./aws codecommit credential-helper', false],
    ['!awsome codecommit credential-helper', false],
    ['!aws credential-helper', false],
    ['!aws codecommit list-repositories', false],
    ['!aws s3 ls', false],
    ['!aws codecommit credential-helper $@\ngit credential-store $@', false],
    ['aws', false],
  ])("%s is AWS's: %s", (value, expected) => {
    expect(isAwsHelper(value)).toBe(expected);
  });
});

test('a helper that counts as storing nothing starts no other program when Git tells it to store', async () => {
  const the = machine();
  const log = join(the.folder, 'started');
  // The shell runs here, so it writes here. Every program that a command could start reports its start.
  const work = join(the.folder, 'home');
  const stub = (name: string) => {
    const file = join(the.folder, 'bin', name);
    writeFileSync(file, `#!/bin/sh\necho '${name}' >>'${log}'\n`);
    chmodSync(file, 0o755);
  };
  for (const name of [
    'git-credential-vouch',
    'git-credential-store',
    'aws',
    'tee',
    'cat',
    'p',
    'f',
    "'",
    "tee'",
    "p'",
    'git-credential-vouch;tee',
  ])
    stub(name);

  const tokens = [
    'vouch',
    'git-credential-vouch',
    'tee',
    'git credential-store',
    'aws',
    'codecommit credential-helper',
    '--profile',
    '--node',
    'p',
    '!',
    "'",
    "'",
    '"',
    '"',
    '\\',
    '\\',
    ' ',
    ' ',
    ';',
    ';',
    '|',
    '&',
    '>x',
    '<',
    '$(tee)',
    '$p',
    '`tee`',
    '"$@"',
    '\n',
    '\r',
    '\t',
    '#',
    '~',
    '*',
    '(',
    ')',
    '{',
    '}',
    'f() { ',
    '; }; f',
    'AWS_PROFILE=p ',
    '=',
    '%',
    'é',
    '\u00a0',
    '\u2028',
  ];
  const valid = [
    'vouch',
    'vouch --profile p',
    "vouch --profile 'a b'",
    'vouch --profile "p"',
    '!git-credential-vouch "$@"',
    '!f() { git-credential-vouch --profile p "$@"; }; f',
    '!AWS_PROFILE=p git-credential-vouch',
    '!aws --profile p codecommit credential-helper $@',
  ];
  const edit = fc.record({
    at: fc.noBias(fc.nat(999)),
    cut: fc.integer({ min: 0, max: 2 }),
    token: fc.constantFrom(...tokens),
  });
  const value = fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([text, edits]) =>
      edits.reduce((before, { at, cut, token }) => {
        const place = at % (before.length + 1);
        return before.slice(0, place) + token + before.slice(place + cut);
      }, text),
    );
  const trusted = [...new Set(fc.sample(value, 20_000))].filter((one) => !one.includes('\0') && storesNothing(one));
  expect(trusted.length).toBeGreaterThan(100);
  for (let i = 0; i < trusted.length; i += 50) {
    const some = trusted.slice(i, i + 50);
    const settings = Object.fromEntries(
      some.flatMap((one, n) => [
        [`GIT_CONFIG_KEY_${n}`, 'credential.helper'],
        [`GIT_CONFIG_VALUE_${n}`, one],
      ]),
    );
    await run(
      'git',
      ['credential', 'approve'],
      { ...the.env, ...settings, GIT_CONFIG_COUNT: `${some.length}` },
      'url=https://u:p@example.com\n\n',
    );
    const started = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    const others = started.filter((name) => name !== 'git-credential-vouch' && name !== 'aws');
    expect([others, readdirSync(work)], JSON.stringify(some, null, 1)).toEqual([[], []]);
  }
  expect(readFileSync(log, 'utf8').match(/^git-credential-vouch$/gm)?.length).toBeGreaterThan(50);
});
