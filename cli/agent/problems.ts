import { Problem } from '../problem/problem.ts';

/** The problems with which both of the agent's sockets refuse a request. */

/** The client speaks another protocol than the agent, see protocolVersion. */
export function otherVersion(version: string): Problem {
  return new Problem({
    kind: 'other-version',
    what: `The running agent is version ${version}, and does not understand this version of \`vouch\`.`,
    fix: 'Run `vouch login`, which replaces it, then try again.',
  });
}

export function badRequest(why: string): Problem {
  return new Problem({ kind: 'bad-request', what: 'The agent did not understand the request.', why });
}

/** The agent is just ending, so it takes no session any more. */
export function leaving(): Problem {
  return new Problem({
    kind: 'agent-leaving',
    what: 'The vouch agent is just ending.',
    fix: 'Try again.',
  });
}
