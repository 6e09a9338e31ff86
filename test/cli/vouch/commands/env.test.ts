import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { awsVariables } from '../../../../cli/aws/variables.ts';
import { environmentText, env as printEnvironment } from '../../../../cli/vouch/commands/env.ts';
import { onTerminal } from '../../../support/terminal.ts';
import { signedIn } from '../../agent/support.ts';
import { machine, root, runCommand, setUpProfile } from '../../support.ts';

/** Nothing that AWS sends; a shell must not read it as code either. */
const hostile = `o'b\\r"; touch hacked; $(touch hacked) \`touch hacked\` $HOME \\'`;
const credentials = {
  accessKeyId: 'ASIA',
  secretAccessKey: hostile,
  sessionToken: 'token==',
  expiration: '2026-11-30T20:00:00Z',
};
const variables = awsVariables(credentials, 'us-east-1', { AWS_PROFILE: 'x', AWS_REGION: 'eu-west-1' });

test.each(['sh', 'bash'])('%s reads every value as it is, and drops what would lead elsewhere', (shell) => {
  const code = `${environmentText(variables, 'shell')}
    exec "$NODE" -p 'JSON.stringify(process.env)'`;
  const { folder } = machine();
  // bash reads ~/.bashrc when its input is a socket, as Node's is.
  const env = {
    NODE: process.execPath,
    HOME: folder,
    AWS_PROFILE: 'x',
    AWS_REGION: 'eu-west-1',
    PATH: process.env.PATH,
  };
  const seen = JSON.parse(execFileSync(shell, ['-c', code], { encoding: 'utf8', env, cwd: folder }));
  expect(seen).toMatchObject({ ...variables.set, AWS_REGION: 'us-east-1' });
  expect(seen).not.toHaveProperty('AWS_PROFILE');
});

test('fish gets its own words', () => {
  const lines = environmentText(variables, 'fish').split('\n');
  expect(lines[0]).toBe('set -eg AWS_PROFILE');
  expect(lines).toContain("set -gx AWS_SESSION_TOKEN 'token=='");
  expect(lines).toContain(`set -gx AWS_SECRET_ACCESS_KEY '${hostile.replace(/[\\']/g, '\\$&')}'`);
});

test('Docker gets a line for each variable, and takes the rest of it as it is', () => {
  const set = { AWS_SESSION_TOKEN: 'a b="\'c', AWS_SECRET_ACCESS_KEY: 'x\r\nEVIL=1' };
  expect(environmentText({ set, unset: ['AWS_PROFILE'] }, 'docker')).toBe(
    'AWS_SESSION_TOKEN=a b="\'c\nAWS_SECRET_ACCESS_KEY=xEVIL=1\n',
  );
});

describe('vouch env', () => {
  test('prints the credentials of the profile', async () => {
    const the = await signedIn();
    const json = await runCommand(the.env, (io) => printEnvironment({ json: true }, io));
    expect({ ...json, stdout: JSON.parse(json.stdout) }).toEqual({
      code: 0,
      stdout: {
        AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE2',
        AWS_SECRET_ACCESS_KEY: 'secret/of+2',
        AWS_SESSION_TOKEN: 'sessiontoken/of+2==',
        AWS_CREDENTIAL_EXPIRATION: expect.any(String),
      },
      stderr: '',
    });
    const shell = await runCommand(the.env, (io) => printEnvironment({ region: 'eu-west-1' }, io));
    expect(shell.stdout).toMatch(/^export AWS_ACCESS_KEY_ID='ASIAEXAMPLE\d'\n/);
    expect(shell.stdout).toMatch(/^export AWS_REGION='eu-west-1'$/m);
  });

  test('without a session prints nothing that a shell could evaluate', async () => {
    const the = machine();
    setUpProfile(the);
    expect(await runCommand(the.env, (io) => printEnvironment({}, io))).toMatchObject({ code: 3, stdout: '' });
  });

  test('shows nothing on a terminal, unless it is told to', async () => {
    const the = await signedIn();
    const vouch = `'${process.execPath}' '${join(root, 'cli/vouch/main.ts')}'`;
    const refused = onTerminal(`${vouch} env`, { env: the.env });
    expect(await refused.ended).toBe(2);
    expect(refused.said()).toMatch(
      /^vouch: This would show secrets on your terminal\.\n {2}Run `eval "\$\(vouch env\)"`/,
    );
    expect(the.world.count('sts')).toBe(0);
    const shown = onTerminal(`${vouch} env --show`, { env: the.env });
    expect(await shown.ended).toBe(0);
    expect(shown.said()).toMatch(/^export AWS_ACCESS_KEY_ID='ASIAEXAMPLE2'\n/);
  });
});
