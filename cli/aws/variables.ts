/**
 * The variables by which AWS's tools take credentials from the environment (AWS SDKs and Tools Reference Guide, "Environment variables
 * support"), for what cannot use a profile.
 */

/** Credentials as variables carry them. */
export interface VariableCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When they end, ISO 8601. */
  expiration: string;
}

/**
 * Variables that name other credentials. Some SDKs prefer them: with AWS_PROFILE, for example, the one for JavaScript passes over keys in
 * the environment. So whoever gets our credentials must not have them.
 */
const others = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
  // The session token's name in old tools.
  'AWS_SECURITY_TOKEN',
  // The access keys' names in old tools.
  'AWS_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_ACCOUNT_ID',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
] as const;

export interface AwsVariables {
  /** The variables to set. */
  set: Record<string, string>;
  /** Variables of the caller that would lead elsewhere. */
  unset: string[];
}

/**
 * The variables that hand credentials over.
 *
 * @param region the region to work in; without one, whoever reads them must name it
 * @param env the caller's environment
 */
export function awsVariables(
  credentials: VariableCredentials,
  region: string | undefined,
  env: NodeJS.ProcessEnv,
): AwsVariables {
  const set: Record<string, string> = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_CREDENTIAL_EXPIRATION: credentials.expiration,
    ...(region !== undefined && { AWS_REGION: region, AWS_DEFAULT_REGION: region }),
  };
  return { set, unset: others.filter((name) => set[name] === undefined && env[name] !== undefined) };
}

/** An environment with those variables in place of the caller's. */
export function withAwsVariables(env: NodeJS.ProcessEnv, { set, unset }: AwsVariables): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !unset.includes(name));
  return { ...Object.fromEntries(kept), ...set };
}
