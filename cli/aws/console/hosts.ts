import type { Partition } from '../partitions.ts';

/**
 * Where each partition has its console and its federation endpoint (AWS General Reference, "AWS Sign-In endpoints" and "AWS Management
 * Console endpoints"; for the European Sovereign Cloud, the endpoint rules of AWS's SDKs for the service `signin`).
 */
interface ConsoleHosts {
  signIn: string;
  console: string;
}

const hosts: Readonly<Record<Partition['id'], ConsoleHosts>> = {
  aws: { signIn: 'signin.aws.amazon.com', console: 'console.aws.amazon.com' },
  'aws-us-gov': { signIn: 'signin.amazonaws-us-gov.com', console: 'console.amazonaws-us-gov.com' },
  'aws-cn': { signIn: 'signin.amazonaws.cn', console: 'console.amazonaws.cn' },
  'aws-eusc': { signIn: 'eusc-de-east-1.signin.amazonaws-eusc.eu', console: 'console.amazonaws-eusc.eu' },
};

/** The federation endpoint of a partition. */
export function federationEndpoint({ id }: Partition): URL {
  return new URL(`https://${hosts[id].signIn}/federation`);
}

/** The console's first page, in a region if one is named. */
export function consoleAddress({ id }: Partition, region: string | undefined): URL {
  const home = `https://${hosts[id].console}/console/home`;
  return new URL(region === undefined ? home : `${home}?region=${region}`);
}
