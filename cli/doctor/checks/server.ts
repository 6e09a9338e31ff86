import { noServer, readConfig } from '../../config.ts';
import type { HttpAnswer } from '../../network/http-request.ts';
import { prepareNetwork } from '../../network/proxies-and-certificates.ts';
import { networkReason, whyUnreachable } from '../../network/reason.ts';
import { Problem } from '../../problem/problem.ts';
import { askServer } from '../../server-api/ask-server.ts';
import { foreignEndpoint } from '../../server-api/endpoints.ts';
import { notAVouchServer } from '../../server-api/problems.ts';
import { serverRefusal } from '../../server-api/refusal.ts';
import { printable } from '../../text/printable.ts';
import type { Check, Finding, Outcome, Visit } from '../check.ts';
import { clockFindings } from '../clock-finding.ts';
import { networkFinding, unreached } from '../network-finding.ts';
import { problemAsFinding } from '../problem-as-finding.ts';

/** The longest that the server may take to answer, in milliseconds. */
const serverTimeout = 8000;

/** The server answers, is the configured one, and its clock agrees with ours. */
export const server: Check = {
  id: 'server',
  title: 'Server',
  needs: () => [],
  run: async (visit) => {
    const { env, facts } = visit;
    const url = facts.agent?.session?.issuer ?? readConfig(env).server;
    if (url === undefined) return { says: 'none', findings: [problemAsFinding('server.unknown', noServer())] };
    facts.server = url;
    let answer: HttpAnswer & { body: Buffer };
    try {
      prepareNetwork(env);
      answer = await askServer(new URL('/.well-known/openid-configuration', url), {
        method: 'GET',
        headers: { accept: 'application/json' },
        signal: visit.signal,
        timeout: serverTimeout,
      });
    } catch (error) {
      visit.signal.throwIfAborted();
      if (error instanceof Problem) throw error;
      if (whyUnreachable(error) === undefined) {
        return { says: `${url} is not a Vouch server`, findings: [notVouch(url, networkReason(error))] };
      }
      return { says: `${url} cannot be reached`, findings: [await networkFinding('server', unreached(error), visit)] };
    }
    return judge(url, answer, visit);
  },
};

function judge(url: string, { status, headers, body }: HttpAnswer, { facts, env }: Visit): Outcome {
  const { date = null } = headers;
  const findings: Finding[] = clockFindings('server.clock-skew', "the server's", date);
  const skew = findings.length > 0;
  const configured = readConfig(env).server;
  if (configured !== undefined && configured !== url) {
    findings.push({
      id: 'server.another-configured',
      severity: 'warning',
      what: `You are signed in at ${url}, but your settings name ${configured}.`,
      why: ['The next `vouch login` goes there.'],
      steps: [`If that is wrong: \`vouch config set server ${url}\``],
    });
  }
  const data: Record<string, unknown> = { url, clock: date };
  const found = parse(body);
  if (found === undefined) {
    findings.unshift(notVouch(url, `It answered with status ${status}, and with no discovery document.`));
    return { says: `${url} is not a Vouch server`, findings, data };
  }
  const refusal = serverRefusal(status, found);
  if (refusal !== undefined) {
    findings.unshift(problemAsFinding('server.refused', refusal));
    return { says: `${url} refused to answer`, findings, data };
  }
  const { issuer } = found;
  const elsewhere = foreignEndpoint(found, url);
  if (typeof issuer !== 'string') {
    findings.unshift(notVouch(url, `Its answer (status ${status}) names no issuer.`));
  } else if (issuer !== url) {
    findings.unshift({
      id: 'server.issuer',
      severity: 'trouble',
      what: `The server calls itself ${printable(issuer, 300)}, but you call it ${url}.`,
      why: ['The server signs with its own name, and AWS and Vouch compare the names exactly.'],
      steps: ["Ask your administrator for the server's URL, then run `vouch login --server` with it."],
    });
  } else if (elsewhere !== undefined) {
    findings.unshift(notVouch(url, elsewhere));
  }
  data.issuer = issuer;
  facts.server = url;
  const clock = date === null ? 'it sends no date' : skew ? 'its clock differs' : 'clock agrees';
  return { says: findings.length > 0 && !skew ? url : `${url}, ${clock}`, findings, data };
}

function notVouch(url: string, why: string): Finding {
  return problemAsFinding('server.not-vouch', notAVouchServer(url, why));
}

/** The body's JSON object; undefined when the body is not one. */
function parse(body: Buffer | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body?.toString('utf8') ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
