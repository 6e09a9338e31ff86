import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dropSession } from '../../../../cli/agent/client/requests.ts';
import { changeConfig, readConfig } from '../../../../cli/config.ts';
import { type SetupOptions, setup } from '../../../../cli/vouch/commands/setup.ts';
import { onTerminal } from '../../../support/terminal.ts';
import { comeBack, startFakeIssuer } from '../../login/fake-issuer.ts';
import {
  installHelper,
  type Machine,
  machine,
  read,
  role,
  root,
  run,
  runCommand,
  setUpProfile,
} from '../../support.ts';

const program = join(root, 'cli/vouch/command-line.ts');
const server = 'https://vouch.example.com';
const line = 'eval "$(vouch init bash)"';

function newMachine(): Machine & { home: string } {
  const the = machine();
  installHelper(the);
  return { ...the, env: { ...the.env, SHELL: '/bin/bash' }, home: the.env.HOME ?? '' };
}

/** A machine whose key is enrolled. */
function enrolledMachine() {
  const the = newMachine();
  changeConfig(the.env, { server, people: { [server]: 'alice@example.com' } });
  return the;
}

/** `vouch setup` without a terminal. */
const looked = ({ env }: Machine, options: Partial<SetupOptions> = {}) =>
  runCommand(env, (io) => setup({ browser: true, ...options }, io, false));

/** `vouch setup` on a terminal. */
const walk = ({ env }: Machine, args = '') =>
  onTerminal(`SHELL=/bin/bash exec '${process.execPath}' '${program}' setup ${args}`, { env });

/** Has it add the profile `vouch`. @param region '' for the one that it proposes */
async function addProfile(walking: ReturnType<typeof walk>, region: string): Promise<void> {
  walking.type('\n');
  await walking.until(/ARN of the AWS role[\s\S]*: $/);
  walking.type(`${role}\n`);
  await walking.until(/Name of the profile \[vouch\]: $/);
  walking.type('\n');
  await walking.until(/Region.*: $/);
  walking.type(`${region}\n`);
}

const steps = async (the: Machine) => {
  const { code, stdout } = await looked(the, { json: true });
  const { ready, steps } = JSON.parse(stdout) as {
    ready: boolean;
    steps: { id: string; done: boolean; how: string | null }[];
  };
  return { code, ready, missing: steps.filter(({ done }) => !done).map(({ id }) => id), steps };
};

describe('without a terminal', () => {
  test('says what is missing and how to do it, and changes nothing', async () => {
    const the = newMachine();
    const { code, stdout, stderr } = await looked(the);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout.split('\n')).toEqual([
      'Server  no server is known yet',
      '        → `vouch enroll --server https://…`, with an invitation',
      'Key     not used on this machine yet',
      '        → `vouch enroll`, with an invitation; `vouch login`, if your key is enrolled already',
      'AWS     no profile yet',
      '        → `vouch setup aws --role ARN --region REGION`',
      'Git     does not ask Vouch yet',
      '        → `vouch setup codecommit`',
      'Prompt  does not show the session',
      `        → this line in ${join(the.home, '.bashrc')}: ${line}`,
      'Not set up yet: Server, Key, AWS, Git. Next: `vouch setup` on a terminal, or the commands above',
      '',
    ]);
    expect(readdirSync(the.home)).toEqual([]);
  });

  test('is done when only the prompt is missing, which Git does not need', async () => {
    const the = enrolledMachine();
    expect(await steps(the)).toMatchObject({ code: 1, ready: false, missing: ['aws', 'codecommit', 'prompt'] });
    setUpProfile(the);
    await run(process.execPath, [program, 'setup', 'codecommit'], the.env);
    expect(await steps(the)).toMatchObject({ code: 0, ready: true, missing: ['prompt'] });
    writeFileSync(join(the.home, '.bashrc'), line);
    expect(await steps(the)).toMatchObject({ code: 0, ready: true, missing: [] });
    expect(await looked(the)).toEqual({
      code: 0,
      stderr: '',
      stdout:
        `Server  ${server}\nKey     enrolled for alice@example.com\nAWS     profile vouch: ${role}\n` +
        `Git     asks Vouch for CodeCommit\nPrompt  shows the session, by ${join(the.home, '.bashrc')}\n` +
        'All is set up. Next: `vouch login`, then `git clone https://git-codecommit.us-east-1.amazonaws.com/v1/repos/NAME`\n',
    });
  });

  test('gives the steps as data, each with how it is done', async () => {
    const the = newMachine();
    expect((await steps(the)).steps.map(({ id, how }) => [id, how !== null])).toEqual([
      ['server', true],
      ['enrolment', true],
      ['aws', true],
      ['codecommit', true],
      ['prompt', true],
    ]);
    const dash = { ...the, env: { ...the.env, SHELL: '/bin/dash' } };
    expect((await steps(dash)).missing).not.toContain('prompt');
  });

  test('--json asks nothing on a terminal either', async () => {
    const walking = walk(newMachine(), '--json');
    expect(await walking.ended).toBe(1);
    expect(JSON.parse(walking.said())).toMatchObject({ ready: false });
  });
});

describe('on a terminal', () => {
  test('does each step that is not done, once', async () => {
    const the = enrolledMachine();
    const walking = walk(the);
    await walking.until(/Key {5}enrolled for alice@example\.com\nAWS {5}no profile yet\n.*\? \[Y\/n\] $/);
    await addProfile(walking, 'eu-west-1');
    await walking.until(/Have Git ask Vouch for CodeCommit\? \[Y\/n\] $/);
    walking.type('\n');
    await walking.until(/Append this line to .*\.bashrc\? \[y\/N\] $/);
    expect(walking.said()).toContain(`  ${line}\n`);
    expect(walking.said()).not.toContain('Next:');
    walking.type('y\n');
    expect(await walking.ended).toBe(0);
    expect(walking.said()).toContain(`Appended to ${join(the.home, '.bashrc')}. To undo it, delete that line.\n`);
    expect(walking.said()).toMatch(/Next: `vouch login`, then `git clone https:\/\/git-codecommit\.eu-west-1\..*`\n$/);
    expect(await steps(the)).toMatchObject({ code: 0, missing: [] });

    const files = ['.bashrc', '.gitconfig', '.aws/config'].map((name) => join(the.home, name));
    const before = files.map(read);
    const again = walk(the);
    expect(await again.ended).toBe(0);
    expect(again.said()).not.toContain('?');
    expect(files.map(read)).toEqual(before);
  });

  test('asks for the server until one answers, and remembers it', async () => {
    const the = newMachine();
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    const walking = walk(the);
    await walking.until(/Address of your Vouch server[\s\S]*: $/);
    walking.type('https://vouch.example.com/path\n');
    await walking.until(/This is not the URL of a Vouch server[\s\S]*Address of your Vouch server[\s\S]*: $/);
    walking.type(`${issuer.url}\n`);
    await walking.until(/Is your key enrolled already, from another machine\? \[y\/N\] $/);
    expect(walking.said()).toContain(`Server  ${issuer.url}\n`);
    expect(readConfig(the.env)).toEqual({ server: issuer.url });
    walking.type('\x03');
    expect(await walking.ended).toBe(130);
    expect(readdirSync(the.home)).toEqual(['.config']);
  });

  test('a key that is enrolled already signs in, which tells whose it is, and nobody is asked again', async () => {
    const the = newMachine();
    const issuer = await startFakeIssuer();
    onTestFinished(async () => {
      await dropSession(the.env).catch(() => {});
      await issuer.close();
    });
    const walking = walk(the, `--no-browser --server ${issuer.url}`);
    await walking.until(/Is your key enrolled already, from another machine\? \[y\/N\] $/);
    walking.type('y\n');
    await comeBack(issuer);
    await walking.until(/Signed in as alice@example\.com [\s\S]*Add a profile for your AWS role\? \[Y\/n\] $/);
    expect(walking.said()).not.toContain('Next:');
    walking.type('\x03');
    expect(await walking.ended).toBe(130);
    const again = walk(the);
    await again.until(/Key {5}enrolled for alice@example\.com\n[\s\S]*Add a profile for your AWS role\? \[Y\/n\] $/);
    expect(again.said()).not.toContain('enrolled already');
    again.type('\x03');
    await again.ended;
  });

  test('a server that does not answer is not remembered', async () => {
    const the = newMachine();
    const issuer = await startFakeIssuer();
    await issuer.close();
    const walking = walk(the, `--server ${issuer.url}`);
    expect(await walking.ended).toBe(4);
    expect(readConfig(the.env)).toEqual({});
  });

  test('what the person does not want is left, and named', async () => {
    const the = enrolledMachine();
    const walking = walk(the);
    await walking.until(/Add a profile for your AWS role\? \[Y\/n\] $/);
    walking.type('n\n');
    await walking.until(/Have Git ask Vouch for CodeCommit\? \[Y\/n\] $/);
    // Ctrl-D is no answer.
    walking.type('\x04');
    await walking.until(/Append this line to .*\? \[y\/N\] $/);
    walking.type('\n');
    expect(await walking.ended).toBe(1);
    expect(walking.said()).toMatch(/Not set up yet: AWS, Git\. Next: `vouch setup` again\n$/);
    expect(readdirSync(the.home)).toEqual(['.config']);
  });

  test('Ctrl-C leaves what was done whole', async () => {
    const the = enrolledMachine();
    mkdirSync(join(the.home, '.aws'));
    const walking = walk(the);
    await walking.until(/Add a profile for your AWS role\? \[Y\/n\] $/);
    await addProfile(walking, '');
    await walking.until(/Have Git ask Vouch for CodeCommit\? \[Y\/n\] $/);
    walking.type('\x03');
    expect(await walking.ended).toBe(130);
    expect(read(join(the.home, '.aws/config'))).toContain(`--role ${role}\n`);
    expect(existsSync(join(the.home, '.gitconfig'))).toBe(false);
    expect((await steps(the)).missing).toEqual(['codecommit', 'prompt']);
  });
});

test('the options of a step are its own, and a step that does not exist is wrong usage', async () => {
  const { env } = newMachine();
  const vouch = (...args: string[]) => run(process.execPath, [program, 'setup', ...args], env);
  const dry = await vouch('codecommit', '--dry-run', '--json');
  expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true });
  const unknown = "unknown command 'codecomit'\n(Did you mean codecommit?)";
  expect(await vouch('codecomit')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(unknown) });
});
