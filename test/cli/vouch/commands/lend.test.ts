import { expect, test } from 'vitest';
import { lends as lendsCheck } from '../../../../cli/doctor/checks/lends.ts';
import { buildProgram } from '../../../../cli/vouch/command-table.ts';
import { lend, lendEnd, lendGitConfig, lendList } from '../../../../cli/vouch/commands/lend.ts';
import { status } from '../../../../cli/vouch/commands/status.ts';
import { signedIn } from '../../agent/support.ts';
import { gitRequest, machine, role, run, runCommand, say, setUpProfile } from '../../support.ts';

test('says what is lent, until when, where, and what comes next', async () => {
  const the = await signedIn();
  const options = { name: 'build', repo: ['demo', 'team-*'], pullOnly: true, for: 1800 };
  const { code, stdout, stderr } = await runCommand(the.env, (io) => lend(options, io));
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Lent as "build" until \S+.*, 30 min from now: demo team-\*, pull only\n/);
  expect(stdout).toContain(
    `Role      ${role} (vouch)\nSocket    ${the.gitSocket.replace('git.sock', 'lends/build/git.sock')}\n`,
  );
  expect(stdout).toContain('`vouch lend end build`');
});

test('without --repo it says how much that is', async () => {
  const the = await signedIn();
  const { stdout, stderr } = await runCommand(the.env, (io) => lend({}, io));
  expect(stdout).toContain('every repository of 123456789012, pull and push');
  expect(stderr).toContain('Name those that are needed with --repo.');
});

test('is in the list, in the status and in what the doctor finds, and its token only where it was opened', async () => {
  const the = await signedIn();
  expect((await runCommand(the.env, (io) => lendList({}, io))).stdout).toBe(
    'Nothing is lent. Lend with `vouch lend --repo NAME`\n',
  );
  const opened = await runCommand(the.env, (io) => lend({ name: 'one', repo: ['demo'], aws: true, json: true }, io));
  const { awsEndpoint, gitSocket } = JSON.parse(opened.stdout);
  expect(awsEndpoint.token).toMatch(/^[\w-]{43}$/);

  const list = await runCommand(the.env, (io) => lendList({}, io));
  expect(list.stdout).toMatch(/^NAME {2}UNTIL .*\none {3}.* vouch {4}demo, pull and push\n$/);
  const narrow = await runCommand(the.env, (io) =>
    lendList({}, { ...io, stdout: { write: (text: string) => io.stdout.write(text), columns: 40 } }),
  );
  expect(narrow.stdout).toMatch(/^one\n {2}until .*\n {2}profile vouch\n {2}demo, pull and push\n$/);
  const said = await runCommand(the.env, (io) => status({}, io));
  expect(said.stdout).toMatch(/^Lent {6}"one" until .*: demo, pull and push$/m);
  const json = await runCommand(the.env, (io) => lendList({ json: true }, io));
  const statusJson = await runCommand(the.env, (io) => status({ json: true }, io));
  expect(JSON.parse(statusJson.stdout).lends).toEqual(JSON.parse(json.stdout).lends);
  for (const { stdout } of [list, said, json, statusJson]) expect(stdout).not.toContain(awsEndpoint.token);

  const agent = { lends: JSON.parse(json.stdout).lends };
  const visit = { env: the.env, facts: { agent } } as unknown as Parameters<typeof lendsCheck.run>[0];
  expect(await lendsCheck.run(visit)).toMatchObject({ says: '1 lend open', findings: [] });
  await say(gitSocket, `action=get\ntimeout=1\n${gitRequest}`);
  const ended = await runCommand(the.env, (io) => lendEnd('one', {}, io));
  expect(ended.stdout).toMatch(/^Ended "one"\. AWS may honour what it has given out until .*\.\n$/);
  expect(await lendsCheck.run(visit)).toMatchObject({ findings: [{ id: 'lends.socket-gone' }] });
});

test('without an agent nothing is lent, and no sign-in is asked for', async () => {
  const { env } = machine();
  const list = (json: boolean) => runCommand(env, (io) => lendList({ json }, io));
  expect(await list(false)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Nothing is lent\. /),
    stderr: '',
  });
  const { code, stdout } = await list(true);
  expect([code, JSON.parse(stdout)]).toEqual([0, { lends: [] }]);
  const end = (name?: string) => runCommand(env, (io) => lendEnd(name, { all: name === undefined }, io));
  expect(await end()).toMatchObject({ code: 0, stdout: 'Nothing was lent\n' });
  expect(await end('build')).toMatchObject({ code: 3, stdout: '' });
});

test('a profile’s name, from a file, moves no cursor', async () => {
  const the = await signedIn();
  const name = 'odd\u001b[2J';
  setUpProfile(the, name, role);
  const opened = await runCommand(the.env, (io) => lend({ repo: ['demo'], profile: [name] }, io));
  const list = await runCommand(the.env, (io) => lendList({}, io));
  for (const { code, stdout } of [opened, list]) {
    expect(code).toBe(0);
    expect(stdout).toContain('odd [2J');
    expect(stdout).not.toContain('\u001b');
  }
});

test('ends all, or one that is named', async () => {
  const the = await signedIn();
  for (const name of ['one', 'two']) await runCommand(the.env, (io) => lend({ name, repo: ['demo'] }, io));
  expect(await runCommand(the.env, (io) => lendEnd(undefined, {}, io))).toMatchObject({ code: 2 });
  expect(await runCommand(the.env, (io) => lendEnd('three', {}, io))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The lends are: one, two.'),
  });
  const ended = await runCommand(the.env, (io) => lendEnd(undefined, { all: true, json: true }, io));
  expect(JSON.parse(ended.stdout)).toEqual({ ended: ['one', 'two'].map((name) => ({ name, awsUntil: null })) });
  expect((await runCommand(the.env, (io) => lendEnd(undefined, { all: true }, io))).stdout).toBe('Nothing was lent\n');
});

test('prints Git’s settings as Git reads them', async () => {
  const the = await signedIn();
  await runCommand(the.env, (io) => lend({ name: 'one', repo: ['codecommit::eu-west-1://demo'] }, io));
  const socket = "/tmp/it's here/git.sock";
  const { stdout } = await runCommand(the.env, (io) => lendGitConfig('one', { socket }, io));
  const read = await run('git', ['config', '--file', '-', '--list'], the.env, stdout);
  expect(read.code).toBe(0);
  const url = 'https://git-codecommit.*.amazonaws.com';
  expect(read.stdout).toContain(
    `credential.${url}.helper=\ncredential.${url}.helper=!f() { test "$1" = get && git credential-cache --socket '/tmp/it'\\''s here/git.sock' get | {`,
  );
  expect(read.stdout).toContain(`credential.${url}.usehttppath=true\n`);
  expect(read.stdout).toContain(
    'url.https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/.insteadof=codecommit::eu-west-1://\n',
  );
  expect(read.stdout).not.toContain('amazonaws.com.cn');
});

test('its options are read, and wrong ones are wrong usage', async () => {
  const parse = async (...args: string[]) => {
    const program = buildProgram({ env: {}, stdout: { write: () => {} }, stderr: { write: () => {} } });
    const command = program.commands.find((one) => one.name() === 'lend');
    command?.exitOverride().configureOutput({ writeErr: () => {} });
    command?.action(() => {});
    await program.parseAsync(['lend', ...args], { from: 'user' });
    return command?.opts();
  };
  expect(await parse('--repo', 'a', '--repo', 'b*', '--branch', 'agent/*', '--for', '1h30m', '--name', 'x')).toEqual({
    repo: ['a', 'b*'],
    branch: ['agent/*'],
    for: 5400,
    name: 'x',
  });
  expect(await parse()).toEqual({ for: 7200 });
  for (const wrong of [
    ['--repo', 'a/b'],
    ['--repo', 'codecommit::us-east-1://profile@demo'],
    ['--repo', 'https://git-codecommit.us-east-1.amazonaws.com.evil.example/v1/repos/demo'],
    ['--branch', '../x'],
    ['--branch', 'a b'],
    ['--for', '0s'],
    ['--for', '8d'],
    ['--for', ''],
    ['--name', 'A'],
    ['--name', '-a'],
    ['--pull-only', '--branch', 'main'],
  ]) {
    await expect(parse(...wrong), wrong.join(' ')).rejects.toThrow();
  }
});
