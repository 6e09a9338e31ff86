import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../cli/config.ts';
import { packageOf } from '../../../cli/files/package-of.ts';
import { readRegularFile, readTextFile, readTextIfThere } from '../../../cli/files/read-file.ts';
import { awsHttpAgents, prepareNetwork } from '../../../cli/network/proxies-and-certificates.ts';
import { configFile } from '../../../cli/paths.ts';
import { readPidFile } from '../../../cli/runtime-folder/pid-file.ts';
import { setupAws } from '../../../cli/vouch/commands/setup-aws.ts';
import { gitRequest, installHelper, type Machine, machine, role, run, runCommand } from '../support.ts';

/** What a file's name may lead to. A read of each of these would never end. */
const wrong: [string, (path: string) => void][] = [
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ['a device', (path) => symlinkSync('/dev/zero', path)],
  [
    '3 GB',
    (path) => {
      writeFileSync(path, '{');
      truncateSync(path, 3 * 2 ** 30);
    },
  ],
];
const said = /regular file|has more than|bytes/;

describe.each(wrong)('%s is not read as', (_, make) => {
  const put = (file: string) => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    rmSync(file, { force: true });
    make(file);
    return file;
  };

  test('a file of any kind', () => {
    const the = machine();
    expect(() => readRegularFile(put(join(the.folder, 'x')))).toThrow(said);
    expect(() => readTextFile(join(the.folder, 'x'), 10)).toThrow(said);
  });

  test('the settings', () => {
    const { env } = machine();
    put(configFile(env));
    // A device is refused because others may write to it.
    const kind = expect.stringMatching(/^(config|unsafe-folder)$/);
    expect(() => readConfig(env)).toThrow(expect.objectContaining({ kind }));
  });

  test('AWS’s config', async () => {
    const the = machine();
    const file = put(join(the.env.HOME ?? '', '.aws/config'));
    const { code, stderr } = await runCommand(the.env, (io) => setupAws({ role, region: 'us-east-1' }, io));
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${file} could not be read.`)]);
    expect(stderr).toMatch(said);
  });

  test('agent.pid, by us or by the script', async () => {
    const the = machine();
    const folder = dirname(put(join(dirname(the.agentSocket), 'agent.pid')));
    expect(readPidFile(folder)).toBeUndefined();
    const { code, stdout } = await run(installHelper(the), ['get'], the.env, gitRequest);
    expect([code, stdout]).toEqual([0, 'quit=1\n']);
  });

  test('certificates', () => {
    const file = put(join(machine().folder, 'ca.pem'));
    const refused = { kind: 'ca-bundle', why: expect.stringMatching(said) };
    expect(() => awsHttpAgents({ AWS_CA_BUNDLE: file })).toThrow(expect.objectContaining(refused));
    expect(() => prepareNetwork({ NODE_EXTRA_CA_CERTS: file })).toThrow(expect.objectContaining(refused));
  });

  test('a unit, or the description of a package', () => {
    const the: Machine = machine();
    expect(() => readTextIfThere(put(join(the.folder, 'unit')))).toThrow(said);
    put(join(the.folder, 'package/package.json'));
    writeFileSync(join(the.folder, 'package/program'), '');
    expect(() => packageOf(join(the.folder, 'package/program'))).not.toThrow();
  });
});

test('a file is read to its end, up to its longest', () => {
  const file = join(machine().folder, 'x');
  writeFileSync(file, 'x'.repeat(5000));
  expect(readTextFile(file, 5000)).toBe('x'.repeat(5000));
  expect(() => readTextFile(file, 4999)).toThrow('It has more than 4999 bytes.');
  writeFileSync(file, '');
  expect(readTextFile(file, 0)).toBe('');
  // One of the system's files, which have no size.
  expect(readTextFile('/proc/self/cmdline')).not.toBe('');
  expect(() => readTextFile('/proc/self/cmdline', 3)).toThrow('It has more than 3 bytes.');
  expect(() => readTextFile(join(file, 'y'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
});
