import type { Category, ProblemKind } from './kinds.ts';

/** Why AWS did not give credentials, as exactly as its words allow (STS API Reference, AssumeRoleWithWebIdentity, "Errors"). */
export const awsReasons = [
  /** The account has no identity provider for the server. */
  'provider-unknown',
  /** It has one, but not for the token's audience. */
  'audience',
  /** The role's trust policy refuses, or there is no such role. */
  'trust',
  /** The trust policy does not allow `action`. */
  'trust-action',
  /** AWS could not read the server's documents. */
  'issuer-unreachable',
  /** AWS does not take the token's times. */
  'token-times',
  'other',
] as const;
export type AwsReason = (typeof awsReasons)[number];

/** How the network failed. */
export const networkFailures = ['tls', 'proxy', 'unreachable'] as const;
export type NetworkFailure = (typeof networkFailures)[number];

/** What programs decide by. It survives the agent's socket. */
export interface ProblemData {
  /** The last part of `urn:vouch:problem:<kind>`. */
  kind: ProblemKind;
  /** The kind's own, unless given. */
  category?: Category | undefined;
  /** The server's name for the kind, if this version does not know it. */
  code?: string | undefined;
  reason?: AwsReason | undefined;
  /** The ARN of the role that AWS did not give. */
  role?: string | undefined;
  /** The action that is not allowed, such as `sts:TagSession`. */
  action?: string | undefined;
  /** What AWS said, in its own words. */
  said?: string | undefined;
  network?: NetworkFailure | undefined;
}

export interface ProblemDetails extends ProblemData {
  /** What happened, a sentence. */
  what: string;
  /** Why, as far as it is known; empty when `what` says it all. */
  why?: string;
  /** What to do next; empty when there is nothing to do. */
  fix?: string;
}
