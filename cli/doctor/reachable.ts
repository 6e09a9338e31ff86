import { stsUrl } from '../aws/sts/endpoint.ts';
import { sendRequest } from '../network/http-request.ts';
import { awsHttpAgents, prepareNetwork } from '../network/proxies-and-certificates.ts';
import { networkReason } from '../network/reason.ts';
import { Problem } from '../problem/problem.ts';
import type { Visit } from './check.ts';
import { exampleUrl } from './credential-settings.ts';
import { gitOutcome, gitSaid } from './git-outcome.ts';
import { runGit } from './git-process.ts';

/** One of the three servers that a push needs. Each is reached by another program, with its own network settings. */
export interface Destination {
  name: 'Vouch server' | 'AWS STS' | 'CodeCommit, by Git';
  /** Why it cannot be reached; undefined when it gave any answer. */
  unreached: string | undefined;
}

/** The longest wait for a destination's answer, in milliseconds. */
const answerTimeout = 6000;

const known = new WeakMap<Visit, Promise<Destination[]>>();

/** Tries to reach all three, without credentials, once per visit. */
export function reachDestinations(visit: Visit): Promise<Destination[]> {
  const found = known.get(visit) ?? Promise.all([server(visit), sts(visit), codeCommit(visit)]);
  known.set(visit, found);
  return found;
}

async function server({ facts, env, signal }: Visit): Promise<Destination> {
  const { server: url } = facts;
  if (url === undefined) return { name: 'Vouch server', unreached: 'It is not known.' };
  const ask = async () => {
    prepareNetwork(env);
    const late = AbortSignal.any([AbortSignal.timeout(answerTimeout), signal]);
    // Any answer shows that the server can be reached.
    await sendRequest(new URL(url), { method: 'GET', headers: {}, signal: late, longest: 0 });
  };
  return { name: 'Vouch server', unreached: await reasonOf(ask, signal) };
}

/**
 * The URL of STS for this repository and this profile.
 *
 * @throws Problem `endpoint`
 */
export function stsUrlOf({ facts, target, env }: Visit): URL {
  const partition = target?.host.partition ?? facts.profile?.role.partition;
  const region = target?.host.region ?? facts.profile?.region ?? partition?.defaultRegion ?? 'us-east-1';
  return stsUrl(region, env);
}

/** Reaches STS as the agent does (aws/sts/web-identity.ts), but with this shell's environment. */
async function sts(visit: Visit): Promise<Destination> {
  const { env, signal } = visit;
  const ask = async () => {
    const url = stsUrlOf(visit);
    const { httpAgent, httpsAgent } = awsHttpAgents(env);
    const late = AbortSignal.any([AbortSignal.timeout(answerTimeout), signal]);
    try {
      const agent = url.protocol === 'http:' ? httpAgent : httpsAgent;
      await sendRequest(url, { method: 'GET', headers: {}, agent, signal: late, longest: 0 });
    } finally {
      httpAgent.destroy();
      httpsAgent.destroy();
    }
  };
  return { name: 'AWS STS', unreached: await reasonOf(ask, signal) };
}

async function reasonOf(ask: () => Promise<void>, signal: AbortSignal): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Problem)) return networkReason(error);
    return error.why === '' ? error.what : `${error.what} ${error.why}`;
  }
}

async function codeCommit({ target, env, cwd, signal }: Visit): Promise<Destination> {
  const url = target?.https ?? exampleUrl;
  const name = 'CodeCommit, by Git';
  // Without helpers and proactiveAuth, Git stops when the server asks for a password. That is far enough.
  const settings = ['-c', `credential.${url}.helper=`, '-c', `http.${url}.proactiveAuth=none`];
  const answer = await runGit([...settings, 'ls-remote', url], { env, cwd, signal, timeout: answerTimeout });
  const outcome = gitOutcome(answer);
  if (outcome === 'late') return { name, unreached: 'It did not answer in time.' };
  const open = ['done', 'no-credentials', 'refused', 'forbidden', 'not-found', 'busy'].includes(outcome);
  return { name, unreached: open ? undefined : gitSaid(answer) };
}
