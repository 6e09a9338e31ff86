import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { helperByPath, vouchHelper } from '../../../cli/git/vouch-helper.ts';
import { machine } from '../support.ts';

test.each([
  ['vouch', { profile: undefined, program: undefined }],
  ['vouch --profile prod', { profile: 'prod', program: undefined }],
  ["vouch --profile 'a b'", { profile: 'a b', program: undefined }],
  ['/opt/bin/git-credential-vouch', { profile: undefined, program: '/opt/bin/git-credential-vouch' }],
  [
    "!'/opt/my bin/git-credential-vouch' --node '/n o/node' --profile p",
    { profile: 'p', program: '/opt/my bin/git-credential-vouch' },
  ],
  ['!git-credential-vouch', { profile: undefined, program: undefined }],
  // Git would look for `git credential-'/opt…'`.
  ["'/opt/my bin/git-credential-vouch'", undefined],
  ['', undefined],
  ['store', undefined],
  ['vouchsafe', undefined],
  ['vouch --store', undefined],
  ['vouch --store x', undefined],
  ['vouch --profile p --node /n', { profile: 'p', program: undefined }],
  ['vouch --profile', undefined],
  ['/opt/bin/vouch', undefined],
  ['vouch; git credential-store', undefined],
  ['!git-credential-vouch "$@" | tee log', undefined],
  ["vouch --profile 'open", undefined],
  ['!./git-credential-vouch', undefined],
  ['x/vouch', undefined],
  ["vouch --profile \\';tee\\'", undefined],
  ["vouch --profile 'a!b'", { profile: 'a!b', program: undefined }],
  ['vouch --profile "a b"', { profile: 'a b', program: undefined }],
  ['vouch --profile é', { profile: 'é', program: undefined }],
  ["vouch --profile 'it'\\''s'", { profile: "it's", program: undefined }],
])('%s is %o', (value, expected) => {
  expect(vouchHelper(value)).toEqual(expected);
});

test.each(['/plain', '/my bin', "/it's", '/a(b)$c'])(
  'Git starts the helper at its path, in the folder %s',
  (folder) => {
    const the = machine();
    const program = join(the.folder, folder, 'git-credential-vouch');
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, '#!/bin/sh\necho username=$2; echo "password=$#"\n', { mode: 0o755 });
    const value = helperByPath(program, '--profile', 'p q');
    expect(vouchHelper(value)).toEqual({ profile: 'p q', program });
    const { stdout } = spawnSync('git', ['-c', `credential.helper=${value}`, 'credential', 'fill'], {
      env: the.env,
      input: 'protocol=https\nhost=example.com\n',
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^username=p q\npassword=3\n/m);
  },
);

test('a path that needs quoting becomes a command, whatever its arguments are', () => {
  expect(helperByPath('/my bin/v', 'p')).toBe("!'/my bin/v' p");
  expect(helperByPath('/bin/v', 'p q')).toBe("/bin/v 'p q'");
});
