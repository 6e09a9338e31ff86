import type { ProblemData } from '../../problem/details.ts';

/**
 * Why STS refused. STS has one error code for several reasons, and only its message distinguishes them (STS API Reference,
 * AssumeRoleWithWebIdentity, "Errors"). Messages name the provider, the audience, the times, and the action that a trust policy does
 * not allow, but not its conditions.
 *
 * Nothing else reads AWS's messages. They decide which explanation and which finding people get, and whether a server that AWS could not
 * reach is worth another try. The code comes first, because a message can contain names that people chose. If AWS changes its words, the
 * reason is `other`, which is refused.
 *
 * @param code the error code, with or without "Exception" at its end
 */
export function awsReason(code: string, message: string): Pick<ProblemData, 'reason' | 'action'> {
  switch (code.replace(/Exception$/, '')) {
    case 'AccessDenied':
      return trust(message);
    case 'IDPCommunicationError':
      return { reason: 'issuer-unreachable' };
    case 'ExpiredToken':
      return { reason: 'token-times' };
    case 'ValidationError':
    case 'Validation':
      return { reason: /duration/i.test(message) ? 'duration' : 'other' };
    case 'InvalidIdentityToken':
    case 'IDPRejectedClaim':
      return token(message);
    default:
      return { reason: 'other' };
  }
}

function trust(message: string): Pick<ProblemData, 'reason' | 'action'> {
  const action = /not authorized to perform:? (sts:\w+)/i.exec(message)?.[1];
  if (action === undefined) return { reason: 'other' };
  return action.startsWith('sts:AssumeRole') ? { reason: 'trust' } : { reason: 'trust-action', action };
}

function token(message: string): Pick<ProblemData, 'reason'> {
  // STS also gives the code InvalidIdentityToken when it could not reach the server, or not in time.
  if (/retrieve verification key/i.test(message)) return { reason: 'issuer-unreachable' };
  if (/No OpenIDConnect provider/i.test(message)) return { reason: 'provider-unknown' };
  if (/audience/i.test(message)) return { reason: 'audience' };
  if (/expired|issued in the future|not valid yet|too old/i.test(message)) return { reason: 'token-times' };
  return { reason: 'other' };
}
