import { clockSkew } from '../../clock-skew.ts';
import { readConfig } from '../../config.ts';
import { prepareNetwork } from '../../network-environment.ts';
import { networkFailure } from '../../network-reason.ts';
import { Problem, printable } from '../../problem.ts';
import type { Check, Finding, Outcome, Visit } from '../check.ts';
import { networkTrouble } from '../network-trouble.ts';
import { troubleOf } from '../trouble.ts';

/** The longest that the server may take, in milliseconds. */
const patience = 8000;

/** The server answers, is the one that was configured, and its clock agrees with ours. */
export const server: Check = {
  id: 'server',
  title: 'Server',
  needs: () => [],
  run: async (visit) => {
    const { env, chart } = visit;
    const url = chart.agent?.session?.issuer ?? readConfig(env).server;
    if (url === undefined) return unknown();
    chart.server = url;
    let response: Response;
    try {
      prepareNetwork(env);
      const late = AbortSignal.timeout(patience);
      response = await fetch(`${url}/.well-known/openid-configuration`, {
        headers: { accept: 'application/json' },
        redirect: 'error',
        signal: AbortSignal.any([late, visit.signal]),
      });
    } catch (error) {
      visit.signal.throwIfAborted();
      if (error instanceof Problem) throw error;
      return { says: `${url} cannot be reached`, findings: [await networkTrouble('server', error, visit)] };
    }
    return judge(url, response, visit);
  },
};

function unknown(): Outcome {
  const finding: Finding = {
    id: 'server.unknown',
    severity: 'trouble',
    what: 'Vouch does not know your server yet.',
    fix: ['Run `vouch enroll --server https://…` with the URL that your administrator gave you.'],
  };
  return { says: 'none', findings: [finding] };
}

async function judge(url: string, response: Response, { chart, env }: Visit): Promise<Outcome> {
  const skew = clockSkew(response.headers.get('date'), Date.now());
  const findings: Finding[] = skew ? [troubleOf('server.clock-skew', skew)] : [];
  const configured = readConfig(env).server;
  if (configured !== undefined && configured !== url) {
    findings.push({
      id: 'server.another-configured',
      severity: 'warning',
      what: `You are signed in at ${url}, and your settings name ${configured}.`,
      why: ['The next `vouch login` goes there.'],
      fix: [`If that is wrong: \`vouch config set server ${url}\``],
    });
  }
  const date = response.headers.get('date');
  const data: Record<string, unknown> = { url, clock: date };
  let issuer: unknown;
  try {
    issuer = JSON.parse(await boundedText(response)).issuer;
  } catch (error) {
    const why = networkFailure(error) ?? `It answered with status ${response.status}, and with no discovery document.`;
    findings.unshift(notVouch(url, why));
    return { says: `${url} is no Vouch server`, findings, data };
  }
  if (typeof issuer !== 'string') {
    findings.unshift(notVouch(url, `Its answer (status ${response.status}) names no issuer.`));
  } else if (issuer !== url) {
    findings.unshift({
      id: 'server.issuer',
      severity: 'trouble',
      what: `The server calls itself ${printable(issuer, 300)}, and you call it ${url}.`,
      why: ['What it signs is for the name that it gives itself, and AWS and Vouch compare them exactly.'],
      fix: ["Ask your administrator for the server's URL, then `vouch login --server <URL>`."],
    });
  }
  data.issuer = issuer;
  chart.server = url;
  const clock = date === null ? 'it does not tell the time' : skew ? 'its clock differs' : 'clock agrees';
  return { says: findings.length > 0 && !skew ? url : `${url}, ${clock}`, findings, data };
}

function notVouch(url: string, why: string): Finding {
  const problem = new Problem({
    kind: 'not-a-vouch-server',
    what: `${new URL(url).host} did not answer as a Vouch server does.`,
    why,
    fix: 'Check the URL with your administrator; behind a hotel’s or a company’s sign-in page, sign in there first.',
  });
  return troubleOf('server.not-vouch', problem);
}

/** The answer as text, and no more of it than a discovery document has. */
async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > 256 * 1024) throw new SyntaxError('too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
