import { sendRequest } from '../../network/http-request.ts';
import { Outage } from '../../network/outage.ts';
import { awsHttpAgents } from '../../network/proxies-and-certificates.ts';
import { caVariable, networkFailure, networkFix, networkReason } from '../../network/reason.ts';
import { Problem } from '../../problem/problem.ts';
import type { RoleArn } from '../role-arn.ts';
import { consoleAddress, federationEndpoint } from './hosts.ts';

export interface SignInRequest {
  /** Temporary credentials of the role. */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  role: RoleArn;
  /** The region to show; by default the console chooses. */
  region: string | undefined;
  /** Whom the console's page names for a new sign-in: the Vouch server's URL. */
  issuer: string;
  /** Proxies, and AWS_CA_BUNDLE. */
  env: NodeJS.ProcessEnv;
  /** Ends the wait. */
  signal: AbortSignal;
}

/** AWS's answer has one member, a token of some thousand characters. */
const longestAnswer = 256 * 1024;

/** How long AWS may take, in milliseconds. */
const patience = 15_000;

/**
 * The address that signs a browser in to AWS's console with a role's credentials (IAM User Guide, "Enable custom identity broker access to
 * the AWS console"). It is a secret: whoever opens it within 15 minutes has the role, until the credentials end. (Without SessionDuration the
 * console's session is as long as the credentials; with it, AWS refuses credentials of a chained role.)
 *
 * The credentials go in a request's body, not in its URL: their length has no limit there, and a proxy that decrypts TLS logs URLs.
 *
 * @throws Problem `aws-refused`, `aws-unreachable`; the signal's reason
 */
export async function signInAddress(request: SignInRequest): Promise<URL> {
  const { credentials, role, region, issuer } = request;
  const endpoint = federationEndpoint(role.partition);
  const session = {
    sessionId: credentials.accessKeyId,
    sessionKey: credentials.secretAccessKey,
    sessionToken: credentials.sessionToken,
  };
  const token = await signInToken(
    endpoint,
    new URLSearchParams({ Action: 'getSigninToken', SessionType: 'json', Session: JSON.stringify(session) }),
    request,
  );
  const address = new URL(endpoint);
  address.search = new URLSearchParams({
    Action: 'login',
    Issuer: issuer,
    Destination: consoleAddress(role.partition, region).href,
    SigninToken: token,
  }).toString();
  return address;
}

async function signInToken(endpoint: URL, form: URLSearchParams, { env, signal }: SignInRequest): Promise<string> {
  const { httpAgent, httpsAgent } = awsHttpAgents(env);
  try {
    const answer = await sendRequest(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      agent: httpsAgent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
      longest: longestAnswer,
    });
    return readToken(endpoint, answer.status, answer.body);
  } catch (error) {
    if (error instanceof Problem || signal.aborted) throw error;
    throw new Outage({
      kind: 'aws-unreachable',
      network: networkFailure(error),
      what: `AWS's sign-in (${endpoint.host}) could not be reached.`,
      why: networkReason(error),
      fix: networkFix(error, caVariable(env)) ?? 'Check your network, then try again.',
    });
  } finally {
    httpAgent.destroy();
    httpsAgent.destroy();
  }
}

function readToken(endpoint: URL, status: number, body: Buffer | undefined): string {
  if (status === 200 && body !== undefined) {
    try {
      const { SigninToken: token } = JSON.parse(body.toString('utf8')) as { SigninToken?: unknown };
      if (typeof token === 'string' && token !== '') return token;
    } catch {}
  }
  // What it says otherwise is a page, which could quote what was sent.
  const details = {
    what: `AWS's sign-in (${endpoint.host}) gave no access to its console.`,
    why: status === 200 ? 'Its answer holds no token.' : `It answered with status ${status}.`,
  };
  if (status >= 400 && status < 500 && status !== 429) {
    throw new Problem({
      ...details,
      kind: 'aws-refused',
      fix: 'If the credentials were taken back at AWS, run `vouch login` for new ones, then try again.',
    });
  }
  throw new Outage({ ...details, kind: 'aws-unreachable', fix: 'Try again in a moment.' });
}
