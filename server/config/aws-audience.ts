import { settingRefused } from '../problem/setting-refused.ts';
import { apiAudience, CLIENT_ID } from './audiences.ts';

/**
 * The audience of tokens for AWS.
 *
 * @param setting VOUCH_AWS_AUDIENCE
 * @param issuer the server's own issuer, whose other tokens must not be taken for these
 * @param awsIssuer the issuer that AWS trusts, which is the default
 * @throws Problem `setting-refused`
 */
export function readAwsAudience(setting: string | undefined, issuer: string, awsIssuer: string): string {
  const value = setting ?? awsIssuer;
  // IAM's CreateOpenIDConnectProvider: a client ID has 1 to 255 characters.
  if (!/^[\x21-\x7e]{1,255}$/.test(value)) {
    throw settingRefused(
      'VOUCH_AWS_AUDIENCE',
      value,
      "the audience of AWS's OIDC provider, 1 to 255 characters without spaces",
    );
  }
  // Otherwise AWS would accept tokens that were issued for another purpose and name no role.
  if (value === CLIENT_ID || value === apiAudience(issuer)) {
    throw settingRefused(
      'VOUCH_AWS_AUDIENCE',
      value,
      "an audience for AWS alone, such as the issuer: this one belongs to the tokens that people's programs hold",
    );
  }
  return value;
}
