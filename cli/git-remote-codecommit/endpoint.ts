import { codeCommitHost, codeCommitUrl } from '../aws/codecommit/hosts.ts';
import { Problem } from '../problem/problem.ts';

/** The host of CodeCommit that the user names. */
export interface Endpoint {
  /** With its port, if any. */
  host: string;
  region: string;
}

/**
 * The host that CODE_COMMIT_ENDPOINT names, such as a PrivateLink endpoint. AWS's git-remote-codecommit has the same variable.
 *
 * @returns undefined when the variable is not set, or empty
 * @throws Problem `endpoint`
 */
export function endpointOf(env: NodeJS.ProcessEnv): Endpoint | undefined {
  const named = env.CODE_COMMIT_ENDPOINT;
  if (!named) return undefined;
  const host = codeCommitHost(named);
  if (host) return { host: named.toLowerCase(), region: host.region };
  throw new Problem({
    kind: 'endpoint',
    what: `CODE_COMMIT_ENDPOINT is not a CodeCommit host: ${named}`,
    why: 'Credentials go nowhere else. It must be only a host name, such as git-codecommit.us-east-1.amazonaws.com.',
    fix: 'Correct the variable or unset it, then try again.',
  });
}

/**
 * The HTTPS URL of a repository. Its host is CODE_COMMIT_ENDPOINT, or the FIPS host if AWS_USE_FIPS_ENDPOINT is `true`, or the
 * public host of the region's partition.
 *
 * @param region the repository's region
 * @param repository a name that has been checked
 * @throws Problem `endpoint`
 */
export function repositoryUrl(region: string, repository: string, env: NodeJS.ProcessEnv): string {
  const endpoint = endpointOf(env);
  if (endpoint && endpoint.region !== region) {
    throw new Problem({
      kind: 'endpoint',
      what: `CODE_COMMIT_ENDPOINT is in ${endpoint.region}, but the repository is in ${region}.`,
      why: `It is ${endpoint.host}: a repository of the same name there would be another one.`,
      fix: `Set it to a host in ${region} or unset it, then try again.`,
    });
  }
  if (endpoint) return `https://${endpoint.host}/v1/repos/${repository}`;
  const fips = env.AWS_USE_FIPS_ENDPOINT?.toLowerCase() === 'true';
  const url = codeCommitUrl(region, repository, { fips });
  if (url !== undefined) return url;
  throw new Problem({
    kind: 'endpoint',
    what: `CodeCommit has no FIPS endpoint in ${region}.`,
    why: 'AWS_USE_FIPS_ENDPOINT asks for one.',
    fix: 'Unset it for this repository, then try again.',
  });
}
