import { describe, expect, test } from 'vitest';
import { profileOfCommand } from '../../../../cli/aws/config/profile-of-command.ts';
import type { VouchProfile } from '../../../../cli/aws/config/profiles.ts';
import { parseRoleArn } from '../../../../cli/aws/role-arn.ts';

function profile(name: string, isDefault = false): VouchProfile {
  const role = parseRoleArn(`arn:aws:iam::123456789012:role/${name}`);
  if (role === undefined) throw new Error('not an ARN');
  return { name, role, region: undefined, ...(isDefault && { isDefault: true }) };
}

const [dev, prod] = [profile('dev'), profile('prod')];
const chosen = (profiles: VouchProfile[], named?: string, AWS_PROFILE?: string) =>
  profileOfCommand(profiles, named, { AWS_PROFILE }).name;

describe('the profile of a command', () => {
  test('is the one that --profile names, then AWS_PROFILE, the only one, the default one', () => {
    expect(chosen([dev, prod], 'prod', 'dev')).toBe('prod');
    expect(chosen([dev, prod], undefined, 'prod')).toBe('prod');
    expect(chosen([prod])).toBe('prod');
    expect(chosen([dev, profile('prod', true)])).toBe('prod');
    expect(chosen([profile('dev', true), prod])).toBe('dev');
    // An empty variable is no name.
    expect(chosen([prod], undefined, '')).toBe('prod');
  });

  test.each([
    ['no-profile', [], undefined, undefined],
    ['several-profiles', [dev, prod], undefined, undefined],
    ['several-profiles', [profile('dev', true), profile('prod', true)], undefined, undefined],
    ['unknown-profile', [dev], 'prod', undefined],
    // Even the only one is not taken: the person has chosen another account.
    ['unknown-profile', [dev], undefined, 'sso'],
    ['unknown-profile', [profile('dev', true)], undefined, 'sso'],
  ])('%s', (kind, profiles, named, variable) => {
    expect(() => chosen(profiles, named, variable)).toThrow(expect.objectContaining({ kind }));
  });
});
