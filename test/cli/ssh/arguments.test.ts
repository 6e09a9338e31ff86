import { describe, expect, test } from 'vitest';
import { Problem } from '../../../cli/problem/problem.ts';
import { readSshArguments } from '../../../cli/ssh/arguments.ts';
import { checkDestination } from '../../../cli/ssh/destination.ts';

describe('what comes after the host', () => {
  test('options are for the connection, for the session, or for both', () => {
    const words = ['-p', '2222', '-tt', '-L8080:localhost:80', '-J', 'jump', '-oSendEnv=LC_X', '-Av', '-e', 'none'];
    expect(readSshArguments(words)).toEqual({
      connection: ['-p', '2222', '-L', '8080:localhost:80', '-J', 'jump', '-o', 'SendEnv=LC_X', '-A', '-v'],
      session: ['-p', '2222', '-t', '-t', '-o', 'SendEnv=LC_X', '-A', '-v', '-e', 'none'],
      command: undefined,
    });
  });

  test.each([
    [[], undefined],
    [['git', 'fetch', '-q'], 'git fetch -q'],
    [['-t', 'tmux', 'new'], 'tmux new'],
    [['-t', '--', '-odd'], '-odd'],
    [['-'], '-'],
    [['--'], undefined],
    [[''], undefined],
  ])('%j', (words, command) => {
    expect(readSshArguments(words).command).toBe(command);
  });

  test.each([
    ...['-f', '-N', '-G', '-M', '-s', '-V', '-tN'].map((word) => [word]),
    ...['-S', '-O', '-Q', '-W'].map((word) => [word, 'x']),
    ...['ControlPath=/tmp/x', 'controlmaster no', ' SessionType=none', 'RemoteCommand=x'].map((value) => ['-o', value]),
    ['-z'],
    ['-p'],
    ['-é'],
    ['--repo', 'demo'],
  ])('%s %s cannot be used', (...words) => {
    expect(() => readSshArguments(words.filter((word) => word !== undefined))).toThrow(Problem);
  });
});

describe('the host', () => {
  test.each([
    'build',
    'alice@build.example.com',
    'CORP\\alice@build',
    'alice@corp.com@build',
    '192.0.2.1',
    '2001:db8::1',
    'fe80::1%eth0',
    'ssh://alice@build:2222',
    'ssh://[2001:db8::1]:22',
    'bücher.example',
  ])('%s', (name) => {
    expect(() => checkDestination(name)).not.toThrow();
  });

  test.each([
    '',
    '-oProxyCommand=touch hacked',
    'alice@-oProxyCommand=x',
    // ssh takes the brackets off.
    'ssh://[-oProxyCommand]',
    '-l@build',
    'ssh://-oProxyCommand=x',
    'ssh://-x@build',
    '$(touch hacked)',
    'a`touch hacked`',
    'a;b',
    'a|b',
    "a'b",
    'a"b',
    'a b',
    'a\nb',
    'a\x1b[2Jb',
    'alice$HOME@build',
    'a'.repeat(600),
    '@build',
    'alice@',
  ])('%j is refused', (name) => {
    expect(() => checkDestination(name)).toThrow(/not the name of an SSH host/);
  });
});
