import type { NetworkFailure, ProblemDetails } from '../problem/details.ts';
import { Problem } from '../problem/problem.ts';

/**
 * The server did not answer. The details are for a Problem, or for an Outage if a retry may help.
 *
 * @param server its issuer URL
 * @param why a sentence
 */
export function serverUnreachable(
  server: string,
  why: string,
  {
    network,
    fix = 'Check your network, then try again.',
  }: { network?: NetworkFailure | undefined; fix?: string | undefined } = {},
): ProblemDetails {
  const what = `The Vouch server ${new URL(server).host} could not be reached.`;
  return { kind: 'server-unreachable', what, why, fix, network };
}

/**
 * Something else answers at a server's address.
 *
 * @param server its issuer URL
 * @param why a sentence
 */
export function notAVouchServer(server: string, why: string): Problem {
  return new Problem({
    kind: 'not-a-vouch-server',
    what: `${new URL(server).host} did not answer as a Vouch server does.`,
    why,
    fix: 'Check the URL with your administrator; behind a hotel’s or a company’s sign-in page, sign in there first.',
  });
}

/**
 * The server is older than what it is asked for.
 *
 * @param server its issuer URL
 */
export function oldServer(server: string): Problem {
  return new Problem({
    kind: 'old-server',
    what: `${new URL(server).host} does not know this yet: it runs an older version of Vouch.`,
    fix: 'Ask your administrator to update it.',
  });
}
