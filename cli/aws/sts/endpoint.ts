import { isConfidential } from '../../network/loopback-http.ts';
import { Problem } from '../../problem/problem.ts';
import { printable } from '../../text/printable.ts';
import { partitionOf } from '../partitions.ts';

/**
 * The address of STS: AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL, unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true; by default the
 * region's own endpoint. With AWS_USE_FIPS_ENDPOINT=true that is the FIPS 140 endpoint (GovCloud's always are), and with
 * AWS_USE_DUALSTACK_ENDPOINT=true the endpoint that IPv6 reaches too. AWS's SDK does the same, except for plain HTTP. Others
 * could read an ID token that is sent over it, so we allow plain HTTP only on this machine.
 *
 * @throws Problem `endpoint` when STS cannot be there
 */
export function stsUrl(region: string, env: NodeJS.ProcessEnv): URL {
  const name = env.AWS_ENDPOINT_URL_STS ? 'AWS_ENDPOINT_URL_STS' : 'AWS_ENDPOINT_URL';
  const set = env[name];
  if (set && !isTrue(env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS)) return configuredUrl(name, set);
  const partition = partitionOf(region);
  if (partition === undefined) throw unknownRegion(region);
  const isDualStack = isTrue(env.AWS_USE_DUALSTACK_ENDPOINT);
  const fips = isTrue(env.AWS_USE_FIPS_ENDPOINT) && (isDualStack || partition.id !== 'aws-us-gov');
  return new URL(
    `https://sts${fips ? '-fips' : ''}.${region}.${isDualStack ? partition.dualStackSuffix : partition.suffix}/`,
  );
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true';
}

function configuredUrl(name: string, value: string): URL {
  const url = URL.parse(value);
  if (url !== null && isConfidential(url)) return url;
  throw new Problem({
    kind: 'endpoint',
    // The value may hold a password.
    what: `${name} is not an address where Vouch asks AWS STS.`,
    why: 'It must begin with https://, or be http:// on localhost or 127.0.0.1: over plain HTTP others could read the token.',
    fix: `Correct ${name} or unset it, run \`vouch agent stop\`, then \`vouch login\`.`,
  });
}

function unknownRegion(region: string): Problem {
  return new Problem({
    kind: 'endpoint',
    what: `${printable(region, 100)} is not a region of any partition that Vouch knows, so it cannot tell where AWS STS is.`,
    fix: "Check the region in the repository's URL, in the profile, or in AWS_REGION.",
  });
}
