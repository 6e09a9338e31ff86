import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chooseEngine } from '../../../cli/box/choose-engine.ts';
import { containerArguments } from '../../../cli/box/container.ts';
import { machine } from '../support.ts';

test('a container gets the socket, Git’s settings, and no secret', () => {
  const files = { gitSocket: '/run/user/1000/vouch/lends/dev/git.sock', gitConfig: '/a, "b"/gitconfig' };
  expect(containerArguments(files, true, ['--workdir', '/work', 'alpine/git', 'clone', 'x y'])).toEqual([
    'run',
    '--rm',
    '--interactive',
    '--tty',
    '--mount',
    'type=bind,source=/run/user/1000/vouch/lends/dev/git.sock,target=/run/vouch/git.sock',
    '--mount',
    'type=bind,"source=/a, ""b""/gitconfig",target=/run/vouch/gitconfig,readonly',
    '--env',
    'GIT_CONFIG_COUNT=1',
    '--env',
    'GIT_CONFIG_KEY_0=include.path',
    '--env',
    'GIT_CONFIG_VALUE_0=/run/vouch/gitconfig',
    '--workdir',
    '/work',
    'alpine/git',
    'clone',
    'x y',
  ]);
  expect(containerArguments(files, false, [])).not.toContain('--tty');
});

describe('the engine', () => {
  function having(...programs: string[]) {
    const { folder, env } = machine();
    for (const name of programs) writeFileSync(join(folder, 'bin', name), '#!/bin/sh\n', { mode: 0o755 });
    return { ...env, PATH: join(folder, 'bin') };
  }

  test('is docker, or podman where there is no docker, or the one that is asked for', () => {
    expect(chooseEngine(undefined, having('docker', 'podman'), 'linux')).toBe('docker');
    expect(chooseEngine(undefined, having('podman'), 'linux')).toBe('podman');
    expect(chooseEngine('podman', having('docker', 'podman'), 'linux')).toBe('podman');
    expect(() => chooseEngine(undefined, having(), 'linux')).toThrow('There is no docker and no podman on the PATH.');
    expect(() => chooseEngine('podman', having('docker'), 'linux')).toThrow('There is no podman on the PATH.');
  });

  test.each(['tcp://build.example.com:2376', 'ssh://alice@build.example.com'])('is refused at %s', (DOCKER_HOST) => {
    expect(() => chooseEngine(undefined, { ...having('docker'), DOCKER_HOST }, 'linux')).toThrow(
      expect.objectContaining({ kind: 'engine-elsewhere', why: expect.stringContaining('build.example.com') }),
    );
  });

  test.each(['unix:///run/user/1000/docker.sock', 'tcp://127.0.0.1:2375', 'nonsense', ''])(
    'is here at %o',
    (DOCKER_HOST) => {
      expect(chooseEngine(undefined, { ...having('docker'), DOCKER_HOST }, 'linux')).toBe('docker');
    },
  );

  test('is refused on macOS, where it runs in a virtual machine', () => {
    expect(() => chooseEngine(undefined, having('docker'), 'darwin')).toThrow(
      expect.objectContaining({ kind: 'engine-elsewhere', why: 'On macOS, containers run in a virtual machine.' }),
    );
  });
});
