import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Account, type Role, uniqueId } from './accounts.ts';
import { ContextKeys, type PolicyDocument } from './policy.ts';

/** Temporary credentials of a role, and their holder, as AWS stores it. */
export interface Session {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  issuedAt: Date;
  expiration: Date;
  account: Account;
  roleId: string;
  roleName: string;
  roleArn: string;
  name: string;
  /** The provider's ARN and the condition keys from its token; none after role chaining. */
  provider: string | undefined;
  providerKeys: Record<string, string | string[]>;
  tags: Record<string, string>;
  /** The tags that pass to the next session of a role chain. */
  transitiveTags: Record<string, string>;
  sourceIdentity: string | undefined;
  /** The session policy, which limits what the role may do (session-policy.ts). */
  policy?: PolicyDocument | undefined;
}

/** The session's own ARN: `arn:aws:sts::123456789012:assumed-role/Role/session`. A role's path is not in it. */
export const sessionArn = (session: Session): string =>
  `arn:${session.account.partition}:sts::${session.account.id}:assumed-role/${session.roleName}/${session.name}`;

/** All sessions that STS has issued. */
export class Sessions {
  /** Length of a session token in characters; AWS has announced that they will grow. */
  tokenLength = 550;
  /** How many bytes a session policy and tags may have when they are packed, see readSessionPolicy. */
  packedLimit = 4096;
  readonly #byKey = new Map<string, Session>();

  issue(options: {
    account: Account;
    role: Role;
    name: string;
    issuedAt: Date;
    expiration: Date;
    provider: string | undefined;
    providerKeys: Record<string, string | string[]>;
    tags: Record<string, string>;
    transitiveTags: Record<string, string>;
    sourceIdentity: string | undefined;
    policy?: PolicyDocument | undefined;
  }): Session {
    const { role, ...rest } = options;
    const session: Session = {
      ...rest,
      accessKeyId: uniqueId('ASIA', 16),
      secretAccessKey: randomBytes(30).toString('base64'),
      // Real tokens are base64 with `/`, `+` and `=`, and programs have stumbled over each of these.
      sessionToken: `IQoJb3JpZ2luX2Vj/+${randomBytes(this.tokenLength).toString('base64')}`
        .slice(0, this.tokenLength - 1)
        .concat('='),
      roleId: role.id,
      roleName: role.name,
      roleArn: role.arn,
    };
    this.#byKey.set(session.accessKeyId, session);
    return session;
  }

  /** All of them, also those that are over. */
  all(): Iterable<Session> {
    return this.#byKey.values();
  }

  /** The session of this access key; undefined if the key is unknown, the token missing or wrong, or the role deleted. */
  find(accessKeyId: string, sessionToken: string | undefined): Session | undefined {
    const session = this.#byKey.get(accessKeyId);
    if (session === undefined || !sameSecret(session.sessionToken, sessionToken ?? '')) return undefined;
    return session.account.roleById(session.roleId) === undefined ? undefined : session;
  }
}

/** Compares in constant time. */
export function sameSecret(expected: string, actual: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(expected), digest(actual));
}

/**
 * The condition keys of a request that is made with a session.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function sessionContext(session: Session, region: string): ContextKeys {
  const context = new ContextKeys()
    .set('aws:PrincipalArn', session.roleArn)
    .set('aws:PrincipalAccount', session.account.id)
    .set('aws:PrincipalType', 'AssumedRole')
    .set('aws:userid', `${session.roleId}:${session.name}`)
    .set('aws:FederatedProvider', session.provider)
    .set('aws:SourceIdentity', session.sourceIdentity)
    .set('aws:TokenIssueTime', session.issuedAt.toISOString().replace(/\.\d+/, ''))
    .set('aws:RequestedRegion', region)
    .set('aws:SecureTransport', 'true');
  for (const [key, value] of Object.entries(session.providerKeys)) context.set(key, value);
  for (const [key, value] of Object.entries(session.tags)) context.set(`aws:PrincipalTag/${key}`, value);
  return context;
}
