import { describe, expect, test } from 'vitest';
import type { Result } from '../../../cli/doctor/check.ts';
import { profile } from '../../../cli/doctor/checks/profile.ts';
import { examine } from '../../../cli/doctor/examine.ts';
import { git } from '../../../cli/git/git.ts';
import { machine, role, setUpProfile } from '../support.ts';
import { visitTo } from './visit.ts';

const url = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo';

async function checked(the: { env: NodeJS.ProcessEnv }, address?: string): Promise<Result> {
  const [result] = await examine([profile], await visitTo(the, address));
  if (result === undefined) throw new Error('nothing was checked');
  return result;
}

describe('the AWS profile', () => {
  test('that serves a repository, and why it is that one', async () => {
    const the = machine();
    setUpProfile(the);
    expect(await checked(the, url)).toMatchObject({
      status: 'ok',
      says: 'vouch, the only Vouch profile',
      details: [role],
    });
    setUpProfile(the, 'prod', 'arn:aws:iam::210987654321:role/Prod');
    const prod = (says: string) => ({
      status: 'ok',
      says: `prod, ${says}`,
      details: ['arn:aws:iam::210987654321:role/Prod'],
    });
    const env = { ...the.env, AWS_PROFILE: 'prod' };
    expect(await checked({ env }, url)).toMatchObject(prod('named by AWS_PROFILE'));
    expect(await checked(the, url.replace('//', '//prod@'))).toMatchObject(prod('named in the URL'));
    expect(await checked(the, 'codecommit::us-east-1://prod@demo')).toMatchObject(prod('named in the URL'));

    const section = `credential.${url}`;
    await git(['config', '--global', `${section}.helper`, 'vouch --profile prod'], the.env);
    expect(await checked(the, url)).toMatchObject(prod('named by --profile in ~/.gitconfig'));
    await git(['config', '--global', `${section}.username`, 'vouch'], the.env);
    expect(await checked(the, url)).toMatchObject({ says: 'vouch, named by credential.username in ~/.gitconfig' });
  });

  test.each([
    ['no-profile', url, []],
    ['several-profiles', url, ['vouch', 'prod']],
    ['unknown-profile', url.replace('//', '//nobody@'), ['vouch']],
    ['partition', 'https://git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/demo', ['vouch']],
  ])('%s', async (kind, address, names) => {
    const the = machine();
    for (const name of names) setUpProfile(the, name);
    expect(await checked(the, address)).toMatchObject({ status: 'failed', findings: [{ id: `profile.${kind}` }] });
  });

  test('may be one of several without a repository', async () => {
    const the = machine();
    setUpProfile(the);
    setUpProfile(the, 'prod');
    expect(await checked(the)).toMatchObject({ status: 'ok', details: [`vouch: ${role}`, `prod: ${role}`] });
  });
});
