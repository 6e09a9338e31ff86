import { gitCredentials } from '../../cli/agent/client/client.ts';
import { exchange } from '../../cli/agent/client/exchange.ts';
import { withContext } from '../../cli/agent/git-request.ts';
import { Problem } from '../../cli/problem/problem.ts';
import { credentialHelperScript } from '../../cli/programs.ts';
import { verifyGitCredentials } from '../aws/git-signature.ts';
import { gitHost } from '../aws/hosts.ts';
import { say } from '../cli/support.ts';
import { run } from '../support/run.ts';
import type { World, WorldRole } from './world.ts';

/** How credentials are asked for: as Git's helper does on git.sock, by that very helper, or over agent.sock. */
export const ways = ['git', 'script', 'http'] as const;
export type Way = (typeof ways)[number];

/** A repository. */
export interface Place {
  host: string;
  path: string;
}

/** A question, as it was asked, and what came of it. Times are in milliseconds: `at` and `until` by the wall clock. */
export interface Asked extends Place {
  way: Way;
  role: WorldRole;
  at: number;
  until: number;
  waited: number;
  /** What was given, in the form in which it was. */
  given?: { username: string; password: string; expiry: number } | AwsAnswer;
  /** Why nothing was given. */
  refused?: Refusal;
}

export interface Refusal {
  /** A Problem's kind, or the code of an error. */
  kind: string;
  /** A Problem's: 3 no session, 4 server or AWS unreachable; undefined when no agent answered. */
  exitCode: number | undefined;
}

interface AwsAnswer {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: string;
}

/** Asks once, and measures how long that took. It never fails: what went wrong is in the result. */
export async function ask(world: World, way: Way, role: WorldRole, place: Place): Promise<Asked> {
  const at = Date.now();
  const start = performance.now();
  const outcome = await asks[way](world, role, place).catch((error: unknown) => ({ refused: refusal(error) }));
  return { way, role, ...place, at, until: Date.now(), waited: performance.now() - start, ...outcome };
}

type Outcome = Pick<Asked, 'given' | 'refused'>;

const gitLines = (role: WorldRole, { host, path }: Place) =>
  `protocol=https\nhost=${host}\npath=${path}\nusername=${role.profile}\n`;

const asks: Record<Way, (world: World, role: WorldRole, place: Place) => Promise<Outcome>> = {
  async git(world, role, place) {
    const request = withContext(Buffer.from(gitLines(role, place)), {}, world.env);
    const answer = await say(world.gitSocket, Buffer.concat([Buffer.from('action=get\ntimeout=900\n'), request]));
    if (answer !== '') return { given: readLines(answer) };
    // As the helper does: it asks for the reason where one can be given.
    return { given: readLines(await gitCredentials(request, world.env)) };
  },
  async script(world, role, place) {
    const request = `capability[]=authtype\n${gitLines(role, place)}`;
    const { stdout, stderr } = await run(credentialHelperScript(), ['get'], { env: world.env, input: request });
    if (/^(?:password|credential)=/m.test(stdout)) return { given: readLines(stdout) };
    const kind = `the helper said: ${stderr.trim()}`;
    if (/No vouch agent is running|hung up/.test(stderr)) return { refused: { kind, exitCode: undefined } };
    return { refused: { kind, exitCode: /Run `vouch login`/.test(stderr) ? 3 : 4 } };
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

/** Kinds of Problem that say that there was no agent, or that it went away before it had answered. */
const away = ['agent-not-running', 'agent-silent'];

function refusal(error: unknown): Refusal {
  if (error instanceof Problem && !away.includes(error.kind)) return { kind: error.kind, exitCode: error.exitCode };
  const { kind, code, name } = error as { kind?: string; code?: string; name: string };
  return { kind: kind ?? code ?? name, exitCode: undefined };
}

/**
 * What is wrong with credentials that were given, by the book of who gave them out; undefined when nothing is. A moment that
 * passed between their way out of the agent and our clock does not count.
 */
export function wrongWith(world: World, asked: Asked, grace = 2000): string | undefined {
  const { given, role, host, path } = asked;
  if (given === undefined) return undefined;
  const { sessions } = world.aws;
  const now = new Date(Math.max(asked.at, asked.until - grace));
  if ('accessKeyId' in given) {
    const session = sessions.find(given.accessKeyId, given.sessionToken);
    if (session === undefined) return 'AWS never gave these credentials out';
    if (session.secretAccessKey !== given.secretAccessKey) return 'the secret is of other credentials';
    if (session.roleArn !== role.arn) return `they are of ${session.roleArn}`;
    if (session.expiration <= now) return 'they have expired';
    return Date.parse(given.expiration) === session.expiration.getTime() ? undefined : 'they end at another time';
  }
  const place = gitHost(host);
  if (place === undefined) return 'no such host';
  try {
    const session = verifyGitCredentials({ ...given, ...place, host, path: `/${path}`, sessions, now });
    if (session.roleArn !== role.arn) return `they are of ${session.roleArn}`;
    return given.expiry <= session.expiration.getTime() ? undefined : 'they are said to last longer than they do';
  } catch (error) {
    return (error as Error).message;
  }
}
