import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { leftovers } from '../../../cli/doctor/checks/leftovers.ts';
import { setupCodeCommit } from '../../../cli/vouch/commands/setup-codecommit.ts';
import { captured, installHelper, machine, read, root, run } from '../support.ts';
import { visitTo } from './visit.ts';

/** The commands of docs/migrating.md, run as a person would run them who comes from each way. */

const document = readFileSync(join(root, 'docs/migrating.md'), 'utf8');
const host = 'git-codecommit.us-east-1.amazonaws.com';
const repository = `https://${host}/v1/repos/demo`;

/** The shell commands of a section, and the last block apart: it shows that nothing is left. */
function commandsOf(title: string): { commands: string[]; proof: string[] } {
  const section = document.split(/^## /m).find((one) => one.startsWith(`${title}\n`)) ?? '';
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block.trim().split('\n'));
  return { commands: blocks.slice(0, -1).flat(), proof: blocks.at(-1) ?? [] };
}

/** A machine on which Vouch is set up beside an old way, with stand-ins for what a test cannot reach. */
async function machineFrom(files: Record<string, string>) {
  const the = machine();
  const at = (name: string) => join(the.env.HOME ?? '', name);
  installHelper(the);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text);
  }
  for (const name of ['aws', 'pip', 'git-credential-manager']) {
    writeFileSync(join(the.folder, 'bin', name), `#!/bin/sh\necho ${name} "$@" >>~/asked\n`, { mode: 0o755 });
  }
  const sh = (command: string) => run('sh', ['-c', `cd ~/clone && ${command}`], the.env);
  await run('git', ['init', '--quiet', at('clone')], the.env);
  await setupCodeCommit({}, captured(the.env).io, at('clone'));
  const look = async () => {
    const visit = { ...(await visitTo(the)), cwd: at('clone') };
    return (await leftovers.applies?.(visit)) ? ((await leftovers.run(visit)).findings ?? []) : [];
  };
  return { at, sh, look };
}

const ssh = `Host ${host.replace('us-east-1', '*')}\n  User APKAEIBAERJR2EXAMPLE\n  IdentityFile ~/.ssh/codecommit_rsa\n`;

test.each<[title: string, files: Record<string, string>, before: string[]]>([
  [
    "From AWS CLI's credential helper",
    {},
    [
      "git config --global credential.helper '!aws codecommit credential-helper $@'",
      'git config --global credential.UseHttpPath true',
    ],
  ],
  [
    'From SSH keys',
    { '.ssh/config': ssh, '.ssh/codecommit_rsa': 'key', '.ssh/codecommit_rsa.pub': 'key' },
    [`git remote add origin ssh://${host}/v1/repos/demo`],
  ],
  [
    'From static Git credentials',
    { '.git-credentials': `https://alice-at-123456789012:secret@${host}\n`, '.netrc': '' },
    [`git remote add origin https://alice-at-123456789012:secret@${host}/v1/repos/demo`],
  ],
  [
    'From Git Credential Manager',
    {},
    [
      'git config --global --add credential.helper manager',
      `git config --global credential.https://${host}.helper manager`,
      `git config --global credential.https://${host}.provider generic`,
    ],
  ],
])('%s: after its commands nothing is left', async (title, files, before) => {
  const the = await machineFrom(files);
  for (const command of before) expect(await the.sh(command)).toMatchObject({ code: 0, stderr: '' });
  expect(await the.look()).not.toEqual([]);
  const { commands, proof } = commandsOf(title);
  expect(commands.length).toBeGreaterThan(1);
  // Doctor's own command: only it knows the lines.
  const lines = (await the.look()).flatMap(({ steps = [] }) => steps).find((step) => step.startsWith('`sed'));
  for (const command of [...commands, ...(lines ? [lines.slice(1, -1)] : [])]) {
    expect([command, await the.sh(command)]).toMatchObject([command, { code: 0, stderr: '' }]);
  }
  expect(await the.look()).toEqual([]);
  for (const command of proof) {
    const { stdout, stderr } = await the.sh(command);
    expect([stdout.replace(/^\S+ ?(vouch)?\n/gm, ''), stderr]).toEqual(['', '']);
  }
  const { stdout } = await the.sh(`git config --get-urlmatch credential.helper ${repository}`);
  expect(stdout).toBe('vouch\n');
});

test('what is done at AWS comes from each section, deactivating before deleting', async () => {
  const the = await machineFrom({});
  const atAws = document.match(/^aws iam .*/gm) ?? [];
  for (const command of atAws) expect((await the.sh(command)).code).toBe(0);
  expect(read(the.at('asked')).trim().split('\n')).toEqual(atAws);
  expect(atAws.map((command) => command.split(' ')[2]?.split('-')[0])).toEqual(
    Array(3).fill(['list', 'update', 'delete']).flat(),
  );
});
