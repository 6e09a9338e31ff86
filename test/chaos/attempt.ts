import { exchange } from '../../cli/agent/client/http-exchange.ts';
import { gitCredentials } from '../../cli/agent/client/requests.ts';
import { withContext } from '../../cli/agent/protocol/git-request.ts';
import type { Category } from '../../cli/problem/kinds.ts';
import { Problem } from '../../cli/problem/problem.ts';
import { credentialHelperScript } from '../../cli/programs.ts';
import { verifyGitCredentials } from '../aws/git-signature.ts';
import { gitHost } from '../aws/hosts.ts';
import { say } from '../cli/support.ts';
import { run } from '../support/run.ts';
import type { World, WorldRole } from './world.ts';

/** How an attempt reaches the agent: over git.sock as Git's helper does it, through that helper's script, or over agent.sock. */
export const channels = ['git', 'script', 'http'] as const;
export type Channel = (typeof channels)[number];

export interface Repository {
  host: string;
  path: string;
}

/** An attempt to get credentials, and its outcome. Times are in milliseconds: `at` and `until` by the wall clock. */
export interface Attempt extends Repository {
  channel: Channel;
  role: WorldRole;
  at: number;
  until: number;
  waited: number;
  /** The credentials: for Git, or for AWS over agent.sock. */
  given?: { username: string; password: string; expiry: number } | AwsAnswer;
  /** Why there are none. */
  refused?: Refusal;
}

export interface Refusal {
  /** A Problem's kind, or the code of an error. */
  kind: string;
  /** A Problem's category; undefined when no agent answered. */
  category: Category | undefined;
}

interface AwsAnswer {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: string;
}

/** Asks once, and measures how long that took. It never throws: a failure is in the result. */
export async function requestCredentials(
  world: World,
  channel: Channel,
  role: WorldRole,
  repository: Repository,
): Promise<Attempt> {
  const at = Date.now();
  const start = performance.now();
  const outcome = await requesters[channel](world, role, repository).catch((error: unknown) => ({
    refused: refusal(error),
  }));
  return { channel, role, ...repository, at, until: Date.now(), waited: performance.now() - start, ...outcome };
}

type Outcome = Pick<Attempt, 'given' | 'refused'>;

const gitLines = (role: WorldRole, { host, path }: Repository) =>
  `protocol=https\nhost=${host}\npath=${path}\nusername=${role.profile}\n`;

const requesters: Record<Channel, (world: World, role: WorldRole, repository: Repository) => Promise<Outcome>> = {
  async git(world, role, repository) {
    const request = withContext(Buffer.from(gitLines(role, repository)), {}, world.env);
    const answer = await say(world.gitSocket, Buffer.concat([Buffer.from('action=get\ntimeout=900\n'), request]));
    if (answer !== '') return { given: readLines(answer) };
    // An empty answer means no credentials; like the helper, ask again over agent.sock, which gives the reason.
    return { given: readLines(await gitCredentials(request, world.env)) };
  },
  async script(world, role, repository) {
    const request = `capability[]=authtype\n${gitLines(role, repository)}`;
    const { stdout, stderr } = await run(credentialHelperScript(), ['get'], { env: world.env, input: request });
    if (/^(?:password|credential)=/m.test(stdout)) return { given: readLines(stdout) };
    const kind = `the helper said: ${stderr.trim()}`;
    if (/No vouch agent is running|hung up/.test(stderr)) return { refused: { kind, category: undefined } };
    return { refused: { kind, category: /Run `vouch login`/.test(stderr) ? 'no-session' : 'unreachable' } };
  },
  async http(world, role) {
    const path = `/credentials?${new URLSearchParams({ role: role.arn })}`;
    const socket = world.agentSocket;
    const { status, text } = await exchange({ socket, method: 'GET', path, body: undefined, timeout: 30_000 });
    if (status === 200) return { given: JSON.parse(text) as AwsAnswer };
    throw Problem.fromJSON(JSON.parse(text)) ?? new Error(`status ${status}`);
  },
};

function readLines(answer: string): { username: string; password: string; expiry: number } {
  const found = new Map(answer.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]));
  const encoded = found.get('credential');
  const [username = '', password = ''] =
    encoded === undefined
      ? [found.get('username'), found.get('password')]
      : Buffer.from(encoded, 'base64').toString().split(/:(.*)/s, 2);
  return { username, password, expiry: Number(found.get('password_expiry_utc')) * 1000 };
}

/** The kinds of Problem when no agent runs, or when it ended before it answered. */
const noAgent = ['agent-not-running', 'agent-silent'];

function refusal(error: unknown): Refusal {
  if (error instanceof Problem && !noAgent.includes(error.kind)) return { kind: error.kind, category: error.category };
  const { kind, code, name } = error as { kind?: string; code?: string; name: string };
  return { kind: kind ?? code ?? name, category: undefined };
}

/**
 * What is wrong with the credentials of an attempt, by the local AWS's own records; undefined if nothing is.
 *
 * @param grace how many milliseconds ago they may have expired: they were valid when they left the agent
 */
export function flawIn(world: World, attempt: Attempt, grace = 2000): string | undefined {
  const { given, role, host, path } = attempt;
  if (given === undefined) return undefined;
  const { sessions } = world.aws;
  const now = new Date(Math.max(attempt.at, attempt.until - grace));
  if ('accessKeyId' in given) {
    const session = sessions.find(given.accessKeyId, given.sessionToken);
    if (session === undefined) return 'AWS never issued these credentials';
    if (session.secretAccessKey !== given.secretAccessKey) return 'the secret belongs to other credentials';
    if (session.roleArn !== role.arn) return `they are for ${session.roleArn}`;
    if (session.expiration <= now) return 'they have expired';
    return Date.parse(given.expiration) === session.expiration.getTime() ? undefined : 'they expire at another time';
  }
  const found = gitHost(host);
  if (found === undefined) return 'no such host';
  try {
    const session = verifyGitCredentials({ ...given, ...found, host, path: `/${path}`, sessions, now });
    if (session.roleArn !== role.arn) return `they are for ${session.roleArn}`;
    return given.expiry <= session.expiration.getTime() ? undefined : 'they are said to last longer than they do';
  } catch (error) {
    return (error as Error).message;
  }
}
