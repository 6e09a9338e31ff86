import { Problem } from '../../problem/problem.ts';
import { printable } from '../../text/printable.ts';
import { awsReason } from './aws-reason.ts';
import { explainWebIdentity, type StsContext } from './explain-web-identity.ts';
import { quoted, readFailure } from './read-failure.ts';

export interface ChainContext extends StsContext {
  /** The ARN of the role whose credentials we used. */
  source: string;
}

/**
 * Explains a refusal of AssumeRole, for the role of the chain that was refused: which identity asked for it, and which of the two
 * sides has to allow what.
 *
 * A Vouch session has transitive tags and a source identity. A chained role must accept both (IAM User Guide, "Chaining roles with
 * session tags" and "Permissions required to set source identity": the latter on both sides).
 *
 * @returns a Problem as from explainWebIdentity
 */
export function explainAssumeRole(error: unknown, context: ChainContext): Problem {
  const { name, message } = readFailure(error, context.secrets);
  if (/^(ExpiredToken|RequestExpired|SignatureDoesNotMatch|InvalidClientTokenId)/.test(name)) {
    return new Problem({
      kind: 'aws-refused',
      role: context.role,
      said: message,
      what: `AWS did not accept the credentials of ${context.source}, so the role ${context.role} was not given.`,
      why: quoted(message),
      fix: 'Check the clock of this machine, then try again.',
    });
  }
  if (name !== 'AccessDenied' && name !== 'AccessDeniedException') return explainWebIdentity(error, context);
  const { role, source } = context;
  const { reason, action } = awsReason(name, message);
  const [, principal] = /\bUser: (arn:\S+)/.exec(message) ?? [];
  const lacks =
    action === undefined
      ? `${source} may not assume it, its trust policy does not trust ${source}, or it does not exist.`
      : `What is missing is ${action}.`;
  return new Problem({
    kind: 'aws-refused',
    reason,
    action,
    role,
    said: message,
    what: `AWS refused the role ${role} to ${principal ? printable(principal, 300) : source}.`,
    why: [lacks, quoted(message)].filter(Boolean).join(' '),
    fix:
      'Ask your AWS administrator to allow sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity twice: to ' +
      `${source} in its permissions, with ${role} as the resource, and in the trust policy of ${role}, with ${source} as the ` +
      'principal. Where that trust policy has a condition on sts:ExternalId, your profile needs it as external_id.',
  });
}
