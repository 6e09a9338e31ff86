import { deflateRawSync } from 'node:zlib';
import { AwsError } from './aws-error.ts';
import { evaluate, type PolicyDocument, type PolicyRequest, validatePolicy } from './policy.ts';
import type { Session } from './sessions.ts';

/**
 * Reads the parameter `Policy` of AssumeRole and AssumeRoleWithWebIdentity: a session policy of at most 2,048 characters, each from
 * space to U+00FF, a tab, a line feed or a carriage return.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 *
 * @param tags the session's tags, which are packed together with the policy
 * @param most how many bytes both may have when they are packed. AWS does not document how it packs, and answers with a share of its
 *   limit; here it is what DEFLATE (RFC 1951) makes of them
 */
export function readSessionPolicy(
  form: URLSearchParams,
  tags: Record<string, string>,
  most: number,
): PolicyDocument | undefined {
  const text = form.get('Policy');
  const packed = deflateRawSync(`${text ?? ''}${JSON.stringify(tags)}`).length;
  if (packed > most) {
    const share = Math.ceil((packed / most) * 100);
    throw new AwsError(
      'PackedPolicyTooLarge',
      `Packed policy consumes ${share}% of allotted space, please use smaller policy.`,
    );
  }
  if (text === null) return undefined;
  if (text.length < 1 || text.length > 2048 || !/^[\t\n\r\u0020-\u00ff]*$/.test(text)) {
    const limit = text.length > 2048 ? 'less than or equal to 2048' : 'greater than or equal to 1';
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length ${limit}`,
    );
  }
  let document: PolicyDocument;
  try {
    document = JSON.parse(text) as PolicyDocument;
  } catch {
    throw new AwsError('MalformedPolicyDocument', 'This policy contains invalid Json');
  }
  validatePolicy(document, 'permission');
  return document;
}

/** What was decided, and by which kind of policy. */
export interface Decision {
  decision: 'Allow' | 'ExplicitDeny' | 'ImplicitDeny';
  /** As AWS's messages name it. */
  by: 'identity-based policy' | 'session policy';
}

/**
 * Decides with all policies of a session: those of its role, as they are now, and its session policy, if it has one. "The resulting
 * session's permissions are the intersection of the role's identity-based policies and the session policies."
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
 */
export function evaluateSession(session: Session, request: PolicyRequest): Decision {
  const { account, roleId, policy } = session;
  const ofRole = evaluate(account.policiesOf(roleId), request);
  const ofSession = policy === undefined ? 'Allow' : evaluate([policy], request);
  // An explicit deny in any policy decides.
  if (ofRole === 'ExplicitDeny') return { decision: ofRole, by: 'identity-based policy' };
  if (ofSession === 'ExplicitDeny') return { decision: ofSession, by: 'session policy' };
  if (ofRole !== 'Allow') return { decision: ofRole, by: 'identity-based policy' };
  return { decision: ofSession, by: 'session policy' };
}
