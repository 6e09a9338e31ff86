import type { Category, ProblemKind } from './kinds.ts';

/** Why AWS gave no credentials, as exactly as its message allows (STS API Reference, AssumeRoleWithWebIdentity, "Errors"). */
export const awsReasons = [
  /** The account has no identity provider for the server. */
  'provider-unknown',
  /** The account has an identity provider for the server, but not for the token's audience. */
  'audience',
  /** The role's trust policy refuses, or there is no such role. */
  'trust',
  /** The trust policy does not allow `action`. */
  'trust-action',
  /** AWS could not read the server's documents. */
  'issuer-unreachable',
  /** AWS does not accept the token's times. */
  'token-times',
  /** The role does not allow a session of that length. */
  'duration',
  'other',
] as const;
export type AwsReason = (typeof awsReasons)[number];

/** Why the server has ended a session (docs/http-api.md, "Problems"), as far as a person is told something of its own. */
export const sessionEnds = [
  'signed-out',
  'ended-by-person',
  'ended-by-administrator',
  'not-me',
  'key-removed',
  'keys-replaced',
  'person-disabled',
  'person-removed',
  'end-date',
  'code-replayed',
  'expired',
] as const;
export type SessionEnd = (typeof sessionEnds)[number];

/** How the network failed. */
export const networkFailures = ['tls', 'proxy', 'unreachable'] as const;
export type NetworkFailure = (typeof networkFailures)[number];

/** The data by which programs decide. All of it crosses the agent's socket. */
export interface ProblemData {
  /** The last part of `urn:vouch:problem:<kind>`. */
  kind: ProblemKind;
  /** By default the kind's own category. */
  category?: Category | undefined;
  /** Another's name for it: AWS's error code, or the server's kind if this version does not know it. */
  code?: string | undefined;
  /** Why AWS gave no credentials, or why the session is over. */
  reason?: AwsReason | SessionEnd | undefined;
  /** The ARN of the role that AWS did not give. */
  role?: string | undefined;
  /** The action that is not allowed, such as `sts:TagSession`. */
  action?: string | undefined;
  /** AWS's own message. */
  said?: string | undefined;
  network?: NetworkFailure | undefined;
}

export interface ProblemDetails extends ProblemData {
  /** What happened, a sentence. */
  what: string;
  /** Why, if known; empty when `what` is enough. */
  why?: string;
  /** What to do next; empty when there is nothing to do. */
  fix?: string;
}
