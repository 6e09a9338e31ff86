import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { onTerminal } from '../../../support/terminal.ts';
import { type Machine, machine, read, role, root, run, setUpProfile } from '../../support.ts';

const file = ({ folder }: Machine) => join(folder, 'home/.aws/config');
const vouch = `exec '${process.execPath}' '${join(root, 'cli/vouch/command-line.ts')}'`;

const setUp = ({ env }: Machine, args = '', more: Record<string, string> = {}) =>
  onTerminal(`${vouch} setup aws ${args}`, { env: { ...env, ...more } });

test('asks for what is missing, offers defaults, and reports wrong answers at once', async () => {
  const the = machine();
  const asking = setUp(the, '', { AWS_REGION: 'eu-west-1' });
  await asking.until(/ARN of the AWS role, such as arn:aws:iam::123456789012:role\/VouchDeveloper[\s\S]*: $/);
  asking.type('VouchDeveloper\n');
  await asking.until(/This is not the ARN of a role: VouchDeveloper\n[\s\S]*ARN of the AWS role[\s\S]*: $/);
  asking.type(`  ${role} \n`);
  await asking.until(/Name of the profile \[vouch\]: $/);
  asking.type('-x\n');
  await asking.until(/cannot be the name of a profile: -x[\s\S]*Name of the profile \[vouch\]: $/);
  asking.type('\n');
  await asking.until(/Region \[eu-west-1\]: $/);
  asking.type('cn-north-1\n');
  await asking.until(/cannot be used in cn-north-1\.[\s\S]*Region \[eu-west-1\]: $/);
  asking.type('\n');
  expect(await asking.ended).toBe(0);
  expect(asking.said()).toContain(`Wrote profile vouch in ${file(the)}\n  + [profile vouch]\n`);
  expect(read(file(the))).toBe(
    `[profile vouch]\ncredential_process = vouch credential aws --role ${role}\nregion = eu-west-1\n`,
  );
});

test('does not ask for what was given, nor offer what is not possible', async () => {
  const the = machine();
  setUpProfile(the, 'vouch', role.replace('Developer', 'Admin'));
  const asking = setUp(the, '', { AWS_REGION: 'cn-north-1' });
  await asking.until(/ARN of the AWS role[\s\S]*: $/);
  asking.type(`${role}\n`);
  // That name is taken, and this region is of another partition.
  await asking.until(/Name of the profile: $/);
  asking.type('vouch\n');
  await asking.until(/another profile "vouch" already\.[\s\S]*Name of the profile: $/);
  asking.type('dev\n');
  await asking.until(/Region, such as us-east-1 \(may be empty\): $/);
  asking.type('\n');
  expect(await asking.ended).toBe(0);
  expect(read(file(the))).toMatch(/\n\[profile dev\]\ncredential_process = \S+ credential aws --role \S+Developer\n$/);

  const second = setUp(the, '--profile third --region us-west-2');
  await second.until(/ARN of the AWS role[\s\S]*: $/);
  second.type(`${role}\n`);
  expect(await second.ended).toBe(0);
  expect(read(file(the))).toMatch(/\n\[profile third\]\n.*\nregion = us-west-2\n$/);
});

test.each([
  ['Ctrl-C', '\x03', 130],
  ['Ctrl-D', '\x04', 1],
])('%s leaves everything as it was', async (_, key, status) => {
  const the = machine();
  const before = '[default]\nregion = us-east-1\n';
  mkdirSync(dirname(file(the)));
  writeFileSync(file(the), before);
  const asking = setUp(the);
  await asking.until(/ARN of the AWS role[\s\S]*: $/);
  asking.type(`${role}\n`);
  await asking.until(/Name of the profile \[vouch\]: $/);
  asking.type(key);
  expect(await asking.ended).toBe(status);
  expect(read(file(the))).toBe(before);
  expect(asking.said()).not.toContain('unexpected');
});

test('an error that needs no answer comes before the questions', async () => {
  const the = machine();
  const asking = setUp(the, '--profile=-x');
  expect(await asking.ended).toBe(2);
  expect(asking.said()).not.toContain('ARN of the AWS role');
});

test('without a terminal nobody is asked', async () => {
  const the = machine();
  const refused = await run(
    process.execPath,
    [join(root, 'cli/vouch/command-line.ts'), 'setup', 'aws'],
    the.env,
    `${role}\n`,
  );
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('No role was named.') });
  expect(existsSync(file(the))).toBe(false);
});
