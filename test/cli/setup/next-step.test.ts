import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changeConfig } from '../../../cli/config.ts';
import { nextStep } from '../../../cli/setup/next-step.ts';
import { setupCodeCommit } from '../../../cli/vouch/commands/setup-codecommit.ts';
import { captured, installHelper, machine, setUpProfile } from '../support.ts';

test('the next step is the command for what is missing, the walk for several, and then a login and a clone', async () => {
  const the = machine();
  installHelper(the);
  expect(await nextStep(the.env)).toBe('`vouch setup`');
  changeConfig(the.env, { server: 'https://vouch.example.com' });
  expect(await nextStep(the.env)).toBe('`vouch setup`');
  // As after a setup for one repository alone.
  expect(await nextStep(the.env, ['codecommit'])).toBe('`vouch setup aws`');
  setUpProfile(the);
  expect(await nextStep(the.env)).toBe('`vouch setup codecommit`');
  await setupCodeCommit({}, captured(the.env).io, the.env.HOME);
  const clone = (host: string) => `\`vouch login\`, then \`git clone https://${host}/v1/repos/NAME\``;
  expect(await nextStep(the.env)).toBe(clone('git-codecommit.us-east-1.amazonaws.com'));
  const role = 'arn:aws-cn:iam::123456789012:role/VouchDeveloper';
  const profile = `[default]\ncredential_process = vouch credential aws --role ${role}\n`;
  writeFileSync(join(the.env.HOME ?? '', '.aws/config'), profile);
  expect(await nextStep(the.env)).toBe(clone('git-codecommit.cn-north-1.amazonaws.com.cn'));
});
