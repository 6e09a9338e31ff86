import * as https from 'node:https';
import { getCACertificates } from 'node:tls';
import { gitCredentials } from '../agent/client/requests.ts';
import { withContext } from '../agent/protocol/git-request.ts';
import { authorizationId } from '../aws/sts/authorization-id.ts';
import { readTextFile } from '../files/read-file.ts';
import { git } from '../git/git.ts';
import { longestBundle, proxyEnvironment } from '../network/proxies-and-certificates.ts';
import { readAtMost } from '../network/read-at-most.ts';
import { networkReason } from '../network/reason.ts';
import { redact } from '../network/redact.ts';
import { asProblem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';
import type { Visit } from './check.ts';
import type { Target } from './target-repository.ts';

/** CodeCommit's answer to a request that Vouch has sent itself, without Git. */
export type CodeCommitAnswer =
  | {
      asked: true;
      /** The HTTP status. */
      status: number;
      /** What AWS calls the refusal, such as AccessDeniedException. */
      code: string | undefined;
      /** AWS's message about the refusal, made safe for a terminal and without a secret. */
      message: string;
      /** The IDs by which AWS finds the request (x-amzn-requestid) and the decision about it. */
      requestId: string | undefined;
      authorizationId: string | undefined;
    }
  /** CodeCommit was not reached. */
  | { asked: false; why: string };

/** The longest that the request may take, in milliseconds. */
const requestTimeout = 10_000;

/** The most that is read of an answer, in bytes. */
const longestAnswer = 64 * 1024;

const known = new WeakMap<Visit, Partial<Record<'pull' | 'push', Promise<CodeCommitAnswer>>>>();

/**
 * Sends the first request of a pull or push, for the list of refs, with Vouch's own user name and password for the chosen profile.
 * Git's credential settings play no part, so the answer shows what the role may do. Git's proxy and CA are used, because CodeCommit
 * might not be reached without them. Sends one request per visit, and can write nothing.
 */
export function askCodeCommit(visit: Visit, what: 'pull' | 'push'): Promise<CodeCommitAnswer> {
  const answers = known.get(visit) ?? {};
  known.set(visit, answers);
  answers[what] ??= ask(visit, what).catch((error: unknown) => {
    visit.signal.throwIfAborted();
    return { asked: false as const, why: reasonOf(error) };
  });
  return answers[what];
}

async function ask(visit: Visit, what: 'pull' | 'push'): Promise<CodeCommitAnswer> {
  const target = visit.target as Target;
  const { username, password } = await credentials(visit, target);
  const agent = await agentAsGit(visit, target);
  const late = AbortSignal.any([visit.signal, AbortSignal.timeout(requestTimeout)]);
  try {
    return await new Promise<CodeCommitAnswer>((resolve, reject) => {
      const url = `${target.https.replace(/\/$/, '')}/info/refs?service=git-${what === 'pull' ? 'upload' : 'receive'}-pack`;
      const headers = {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'user-agent': 'git/vouch-doctor',
      };
      const request = https.get(url, { agent, headers, signal: late }, (response) => {
        const { statusCode: status = 0, headers: its } = response;
        const requestId = its['x-amzn-requestid'];
        const answer = (body: string) =>
          resolve({
            asked: true,
            status,
            requestId: typeof requestId === 'string' ? printable(requestId, 100) : undefined,
            ...refusal(body, [username, password]),
          });
        // If CodeCommit does not refuse, only the status matters.
        if (status === 200) {
          answer('');
          response.destroy();
          return;
        }
        readAtMost(longestAnswer, response).then((body) => answer(body?.toString('utf8') ?? ''), reject);
      });
      request.on('error', reject);
    });
  } finally {
    agent.destroy();
  }
}

/** The agent's user name and password, as Git's helper would get them. */
async function credentials(visit: Visit, target: Target): Promise<{ username: string; password: string }> {
  const { env, facts } = visit;
  const path = decodeURIComponent(new URL(target.https).pathname).replace(/^\/|\/$/g, '');
  const lines = ['protocol=https', `host=${target.host.host}`, `path=${path}`];
  if (facts.profile) lines.push(`username=${facts.profile.name}`);
  const answer = await gitCredentials(withContext(Buffer.from(`${lines.join('\n')}\n`), {}, env), env);
  const value = (name: string) =>
    answer
      .split('\n')
      .find((line) => line.startsWith(`${name}=`))
      ?.slice(name.length + 1);
  return { username: value('username') ?? '', password: value('password') ?? '' };
}

/** Reaches CodeCommit as Git would: through Git's proxy before the environment's, and trusting Git's CA besides Node's. */
async function agentAsGit({ env, cwd }: Visit, { https: url }: Target): Promise<https.Agent> {
  const setting = async (name: string, ...type: string[]) =>
    (await git(['config', ...type, '--get-urlmatch', name, url], env, { accepted: [0, 1], cwd })).stdout.replace(
      /\n$/,
      '',
    );
  const proxy = await setting('http.proxy');
  const proxyEnv = { ...proxyEnvironment(proxy === '' ? env : { HTTPS_PROXY: proxy }) };
  const file = env.GIT_SSL_CAINFO || (await setting('http.sslCAInfo', '--type=path'));
  const ca = file === '' ? {} : { ca: [...getCACertificates('default'), readTextFile(file, longestBundle)] };
  return new https.Agent({ proxyEnv, ...ca });
}

/** The parts of AWS's refusal, which is XML. Any other text yields empty parts. */
function refusal(body: string, secrets: readonly string[]) {
  const text = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`, 'i').exec(body)?.[1]?.trim();
  const code = text('Code') ?? /^\s*(?:<\?xml[^>]*>\s*)?<(\w+Exception)>/.exec(body)?.[1];
  const message = redact(text('Message') ?? '', secrets);
  return {
    code: code === undefined ? undefined : printable(code, 100),
    message: printable(message, 1000),
    authorizationId: authorizationId(message),
  };
}

function reasonOf(error: unknown): string {
  const { kind, what } = asProblem(error);
  return kind === 'internal-error' ? networkReason(error) : what;
}
