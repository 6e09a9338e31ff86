import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changeConfig, chosenServer, readConfig, serverUrl } from '../../cli/config.ts';
import { replaceFile } from '../../cli/files/replace-file.ts';
import type { Io } from '../../cli/terminal/io.ts';
import { configGet, configList, configSet, configUnset } from '../../cli/vouch/commands/config.ts';
import { runCommand } from './support.ts';

let home: string;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vouch-config-'));
  env = { HOME: home };
});
afterEach(() => rmSync(home, { recursive: true }));

const file = () => join(home, '.config/vouch/config.json');

describe('the settings', () => {
  test('are empty when there is no file, and are written for their owner only', () => {
    expect(readConfig(env)).toEqual({});
    changeConfig(env, { server: 'https://vouch.example.com' });
    expect(readConfig(env)).toEqual({ server: 'https://vouch.example.com' });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  test('that cannot be written are reported as such', () => {
    expect(() => replaceFile(home, '{}')).toThrow(
      expect.objectContaining({ kind: 'not-written', what: `${home} could not be written.` }),
    );
  });

  test('are for their owner only while they are written, whatever mode the file has', () => {
    mkdirSync(join(home, '.config/vouch'), { recursive: true });
    writeFileSync(file(), '{}');
    chmodSync(file(), 0o644);
    const before: number[] = [];
    const { chmodSync: real } = fs;
    // The mode of the new file just before it gets its final mode.
    fs.chmodSync = (path, mode) => {
      before.push(statSync(path).mode & 0o777);
      real(path, mode);
    };
    syncBuiltinESMExports();
    const umask = process.umask(0);
    try {
      replaceFile(file(), '{"server": "https://vouch.example.com"}');
    } finally {
      process.umask(umask);
      fs.chmodSync = real;
      syncBuiltinESMExports();
    }
    expect(before).toEqual([0o600]);
    expect(statSync(file()).mode & 0o777).toBe(0o644);
  });

  test('keep unknown settings', () => {
    mkdirSync(join(home, '.config/vouch'), { recursive: true });
    writeFileSync(file(), '{"later": true, "server": "https://old.example.com"}');
    changeConfig(env, { server: 'https://new.example.com' });
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ later: true, server: 'https://new.example.com' });
  });

  test('stay where a symbolic link leads, as dotfile managers have it', () => {
    mkdirSync(join(home, '.config/vouch'), { recursive: true });
    writeFileSync(join(home, 'dotfile.json'), '{}');
    symlinkSync(join(home, 'dotfile.json'), file());
    changeConfig(env, { server: 'https://vouch.example.com' });
    expect(readConfig({ ...env })).toEqual({ server: 'https://vouch.example.com' });
    expect(JSON.parse(readFileSync(join(home, 'dotfile.json'), 'utf8'))).toEqual({
      server: 'https://vouch.example.com',
    });
  });

  test('are in XDG_CONFIG_HOME when that is set', () => {
    changeConfig({ ...env, XDG_CONFIG_HOME: join(home, 'xdg') }, { server: 'https://vouch.example.com' });
    expect(statSync(join(home, 'xdg/vouch/config.json')).isFile()).toBe(true);
  });

  test.each([
    'nonsense',
    '[]',
    'null',
    '{"server": 1}',
    '{"callbackPort": 0}',
    '{"callbackPort": "80"}',
    '{"server": "http://vouch.example.com"}',
    '{"people": "x"}',
    '{"people": 7}',
    '{"people": ["x"]}',
    '{"people": null}',
    '{"people": {"https://vouch.example.com": 7}}',
  ])('are not guessed when the file holds %s', (text) => {
    changeConfig(env, {});
    writeFileSync(file(), text);
    expect(() => readConfig(env)).toThrow();
    // Such a file is not overwritten either.
    expect(() => changeConfig(env, { server: 'https://vouch.example.com' })).toThrow();
    expect(readFileSync(file(), 'utf8')).toBe(text);
  });

  test('the server that is named now comes before the one that is remembered; none is an error that says what to do', () => {
    expect(() => chosenServer(env, undefined)).toThrow(expect.objectContaining({ kind: 'no-server', exitCode: 2 }));
    changeConfig(env, { server: 'https://one.example.com' });
    expect(chosenServer(env, undefined)).toBe('https://one.example.com');
    expect(chosenServer(env, 'https://two.example.com/')).toBe('https://two.example.com');
  });
});

describe('the server’s URL', () => {
  test.each([
    ['https://vouch.example.com', 'https://vouch.example.com'],
    ['https://vouch.example.com/', 'https://vouch.example.com'],
    ['vouch.example.com', 'https://vouch.example.com'],
    ['localhost:8080', 'http://localhost:8080'],
    ['localhost.example.com', 'https://localhost.example.com'],
    ['http://localhost:8080', 'http://localhost:8080'],
  ])('%s is %s', (value, expected) => {
    expect(serverUrl(value)).toBe(expected);
  });

  test.each([
    'http://vouch.example.com',
    'http://localhost.evil.example',
    'http://127.0.0.1:8080',
    'https://user:password@vouch.example.com',
    'https://vouch.example.com/path',
    'https://vouch.example.com/?query',
    'https://vouch.example.com/#fragment',
    'ftp://vouch.example.com',
    'javascript://alert(1)',
    '',
  ])('%s is refused', (value) => {
    expect(() => serverUrl(value)).toThrow(expect.objectContaining({ kind: 'server-url', exitCode: 2 }));
  });
});

describe('vouch config', () => {
  type Command = (io: Io) => Promise<number>;
  const get = (name: string, json = false) => ((io) => configGet(name, { json }, io)) satisfies Command;
  const set = (name: string, value: string, json = false) =>
    ((io) => configSet(name, value, { json }, io)) satisfies Command;
  const unset = (name: string, json = false) => ((io) => configUnset(name, { json }, io)) satisfies Command;
  const list = (json = false) => ((io) => configList({ json }, io)) satisfies Command;
  const run = (command: Command) => runCommand(env, command);

  test('shows values, defaults, and settings without a value', async () => {
    const nothing = {
      code: 0,
      stdout: 'server       (not set)\nautoLogin    auto (default)\ncallbackPort (not set)\n',
      stderr: '',
    };
    expect(await run(list())).toEqual(nothing);
    expect(await run(list(true))).toMatchObject({
      code: 0,
      stdout: '{"server":null,"autoLogin":"auto","callbackPort":null}\n',
    });
    expect(await run(get('server'))).toEqual({ code: 1, stdout: '', stderr: '' });
    expect(await run(get('autoLogin'))).toEqual({ code: 0, stdout: 'auto\n', stderr: '' });
    expect(await run(get('server', true))).toMatchObject({ code: 1, stdout: '{"server":null}\n' });
    // Reading the settings writes nothing.
    expect(existsSync(file())).toBe(false);
  });

  test('sets, keeps the rest, and goes back', async () => {
    expect(await run(set('server', 'vouch.example.com'))).toMatchObject({
      code: 0,
      stdout: 'server is https://vouch.example.com\n',
    });
    expect(await run(set('autoLogin', 'always', true))).toMatchObject({ code: 0, stdout: '{"autoLogin":"always"}\n' });
    expect(readConfig(env)).toEqual({ server: 'https://vouch.example.com', autoLogin: 'always' });
    expect(await run(set('callbackPort', '8765'))).toMatchObject({ code: 0, stdout: 'callbackPort is 8765\n' });
    expect(readConfig(env).callbackPort).toBe(8765);
    expect((await run(unset('callbackPort'))).stdout).toBe('callbackPort is not set\n');
    expect(await run(unset('autoLogin'))).toMatchObject({
      code: 0,
      stdout: 'autoLogin is not set, which means auto\n',
    });
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ server: 'https://vouch.example.com' });
    const { ino } = statSync(file());
    expect((await run(unset('autoLogin'))).code).toBe(0);
    expect(statSync(file()).ino).toBe(ino);
  });

  test.each([
    [set('autoLogin', 'yes'), 'auto, always, never'],
    [set('autoLogin', 'Always'), 'auto, always, never'],
    [set('autoLogin', ''), 'auto, always, never'],
    [set('server', 'http://vouch.example.com'), 'not the URL'],
    [set('autologin', 'auto'), 'The settings are: server, autoLogin, callbackPort.'],
    ...['0', '65536', '-1', '80x', '', '8e3', ' 80'].map(
      (value) => [set('callbackPort', value), 'a number from 1 to 65535'] as [Command, string],
    ),
    [get('__proto__'), 'The settings are'],
    [unset('constructor'), 'The settings are'],
    [get('a\u001b[31m\nb'), 'no setting of this name: a [31m b\n'],
  ])('refuses an unknown setting or a wrong value, and changes nothing (%#)', async (command, words) => {
    expect(await run(command)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(words) });
    expect(existsSync(file())).toBe(false);
  });

  test('does not write over a file with an impossible value', async () => {
    changeConfig(env, {});
    writeFileSync(file(), '{"autoLogin": "sometimes"}');
    expect(await run(set('server', 'vouch.example.com'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"autoLogin" is not one of auto, always, never.'),
    });
    expect(readFileSync(file(), 'utf8')).toBe('{"autoLogin": "sometimes"}');
  });
});
