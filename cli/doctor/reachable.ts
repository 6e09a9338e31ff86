import { stsUrl } from '../aws/sts/endpoint.ts';
import { sendRequest } from '../network/http-request.ts';
import { awsHttpAgents, prepareNetwork } from '../network/proxies-and-certificates.ts';
import { networkReason } from '../network/reason.ts';
import { Problem } from '../problem/problem.ts';
import type { Visit } from './check.ts';
import { exampleUrl } from './credential-settings.ts';
import { gitOutcome, gitSaid } from './git-outcome.ts';
import { runGit } from './git-process.ts';

/** One of the three ways into the network that a push needs. Each has settings of its own. */
export interface Way {
  name: 'Vouch server' | 'AWS STS' | 'CodeCommit, by Git';
  /** Why it is closed; undefined when there was an answer, whatever it was. */
  closed: string | undefined;
}

/** The longest that a way is tried, in milliseconds. */
const wayTimeout = 6000;

const known = new WeakMap<Visit, Promise<Way[]>>();

/** Tries all three, without credentials, once per visit. */
export function threeWays(visit: Visit): Promise<Way[]> {
  const found = known.get(visit) ?? Promise.all([server(visit), sts(visit), codeCommit(visit)]);
  known.set(visit, found);
  return found;
}

async function server({ facts, env, signal }: Visit): Promise<Way> {
  const { server: url } = facts;
  if (url === undefined) return { name: 'Vouch server', closed: 'It is not known.' };
  const ask = async () => {
    prepareNetwork(env);
    const late = AbortSignal.any([AbortSignal.timeout(wayTimeout), signal]);
    // Any answer will do, of any length.
    await sendRequest(new URL(url), { method: 'GET', headers: {}, signal: late, longest: 0 });
  };
  return { name: 'Vouch server', closed: await reasonOf(ask, signal) };
}

/**
 * Where STS is asked for this repository and this profile.
 *
 * @throws Problem `endpoint`
 */
export function stsUrlOf({ facts, target, env }: Visit): URL {
  const partition = target?.host.partition ?? facts.profile?.role.partition;
  const region = target?.host.region ?? facts.profile?.region ?? partition?.defaultRegion ?? 'us-east-1';
  return stsUrl(region, env);
}

/** As the agent goes there (aws/sts/web-identity.ts), but in this shell's environment. */
async function sts(visit: Visit): Promise<Way> {
  const { env, signal } = visit;
  const ask = async () => {
    const url = stsUrlOf(visit);
    const { httpAgent, httpsAgent } = awsHttpAgents(env);
    const late = AbortSignal.any([AbortSignal.timeout(wayTimeout), signal]);
    try {
      const agent = url.protocol === 'http:' ? httpAgent : httpsAgent;
      await sendRequest(url, { method: 'GET', headers: {}, agent, signal: late, longest: 0 });
    } finally {
      httpAgent.destroy();
      httpsAgent.destroy();
    }
  };
  return { name: 'AWS STS', closed: await reasonOf(ask, signal) };
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

async function codeCommit({ target, env, cwd, signal }: Visit): Promise<Way> {
  const url = target?.https ?? exampleUrl;
  const name = 'CodeCommit, by Git';
  // Without helpers Git gets as far as the question for a password, if it need not bring one at once.
  const settings = ['-c', `credential.${url}.helper=`, '-c', `http.${url}.proactiveAuth=none`];
  const answer = await runGit([...settings, 'ls-remote', url], { env, cwd, signal, timeout: wayTimeout });
  const outcome = gitOutcome(answer);
  if (outcome === 'late') return { name, closed: 'It did not answer in time.' };
  const open = ['done', 'no-credentials', 'refused', 'forbidden', 'not-found', 'busy'].includes(outcome);
  return { name, closed: open ? undefined : gitSaid(answer) };
}
