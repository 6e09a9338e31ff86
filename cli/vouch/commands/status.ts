import { type FoundAgent, findAgent } from '../../agent/client/find-agent.ts';
import type { Lend } from '../../agent/protocol/lends.ts';
import type { AgentStatus } from '../../agent/protocol/messages.ts';
import { type VouchProfile, vouchProfiles } from '../../aws/config/profiles.ts';
import { readConfig } from '../../config.ts';
import { gitAsksVouch } from '../../git/git.ts';
import { whatIsLent } from '../../lend/lend-words.ts';
import { Problem } from '../../problem/problem.ts';
import { sessionVariables } from '../../prompt/variables.ts';
import type { Io } from '../../terminal/io.ts';
import { fitted } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';
import { keyLabel } from '../../text/key-label.ts';
import { printable } from '../../text/printable.ts';
import { clockTime, duration } from '../../text/time.ts';

interface Report {
  server: string | null;
  session: AgentStatus['session'];
  /** Why there is no session any more. */
  ended: Pick<Problem, 'category' | 'reason' | 'what' | 'fix'> | null;
  agent: { pid: number; version: string } | null;
  profiles: {
    name: string;
    role: string;
    credentialsUntil: string | null;
    /** Why the credentials cannot be renewed at present. */
    trouble?: string | undefined;
  }[];
  /** Whether Git asks Vouch for CodeCommit's hosts. */
  git: boolean;
  lends: Lend[];
}

export const formats = ['text', 'json', 'shell', 'fish'] as const;

export interface StatusOptions {
  /** By default `text`; `shell` is for sh, bash and zsh. */
  format?: (typeof formats)[number];
  /** The same as the format of that name. */
  json?: boolean;
}

/** The longest that an agent without an answer may delay a prompt, in milliseconds. */
const promptTimeout = 1000;

/** `vouch status`: who is signed in and until when. Exit code 3 when there is no session. */
export async function status(
  { json = false, format = json ? 'json' : 'text' }: StatusOptions,
  io: Io,
): Promise<number> {
  const isForPrompt = format === 'shell' || format === 'fish';
  const agent = findAgent(io.env, { timeout: isForPrompt ? promptTimeout : undefined }).then(statusOf);
  if (isForPrompt) {
    // A prompt waits for this, and has no use for the rest.
    const found = await agent;
    const session = found?.session ?? null;
    const ended = Problem.fromJSON(found?.ended)?.reason;
    // At its own time a session ends without a word, as everybody expects.
    const why = ended === 'expired' ? undefined : ended;
    io.stdout.write(sessionVariables({ session, ended: why, server: serverOf(session, io.env) }, format));
    return session === null ? 3 : 0;
  }
  const report = await collect(agent, io.env);
  const lines = () => fitted(statusLines(report, new Date()).join('\n'), io.stdout, labelWidth);
  io.stdout.write(`${format === 'json' ? jsonText(report) : lines()}\n`);
  return report.session === null ? 3 : 0;
}

function statusOf(found: FoundAgent): AgentStatus | undefined {
  if (found.state === 'hung') throw found.problem;
  return found.state === 'running' ? found.answer : undefined;
}

async function collect(asked: Promise<AgentStatus | undefined>, env: NodeJS.ProcessEnv): Promise<Report> {
  const [agent, { profiles, git }] = await Promise.all([asked, settings(env)]);
  const session = agent?.session ?? null;
  const ended = Problem.fromJSON(agent?.ended);
  return {
    server: serverOf(session, env),
    session,
    ended: ended ? { category: ended.category, reason: ended.reason, what: ended.what, fix: ended.fix } : null,
    agent: agent === undefined ? null : { pid: agent.pid, version: agent.version },
    profiles: profiles.map((profile) => ({
      name: profile.name,
      role: profile.role.arn,
      ...credentialsOf(agent, profile),
    })),
    git,
    lends: agent?.lends ?? [],
  };
}

/** The settings in this machine's files. Git comes last because it blocks; by then the agent has our request. */
async function settings(env: NodeJS.ProcessEnv): Promise<{ profiles: VouchProfile[]; git: boolean }> {
  const profiles = await vouchProfiles(env);
  return { profiles, git: await gitAsksVouch(env) };
}

function serverOf(session: AgentStatus['session'], env: NodeJS.ProcessEnv): string | null {
  return session?.issuer ?? readConfig(env).server ?? null;
}

function credentialsOf(agent: AgentStatus | undefined, profile: VouchProfile) {
  const [longest] = (agent?.credentials ?? [])
    .filter(({ role }) => role === profile.role.arn)
    .sort((a, b) => b.expiresAt.localeCompare(a.expiresAt));
  return { credentialsUntil: longest?.expiresAt ?? null, trouble: longest?.trouble };
}

/** How many columns the labels take, such as `Session`. */
const labelWidth = 10;

function statusLines(report: Report, now: Date): string[] {
  const lines: string[] = [];
  if (report.session === null) {
    const { what = 'run `vouch login`', fix = '' } = report.ended ?? {};
    lines.push(`Session   none: ${printable(what)}`, ...(fix && [`          ${printable(fix)}`]));
  } else {
    const until = new Date(report.session.expiresAt);
    const left = duration(until.getTime() - now.getTime());
    const { email, key } = report.session;
    lines.push(`Session   ${email}, ${keyLabel(key)}, ${left} left (until ${clockTime(until, now)})`);
  }
  lines.push(`Server    ${report.server ?? 'none: run `vouch enroll --server https://…`'}`);
  if (report.profiles.length === 0) lines.push('AWS       no role: run `vouch setup aws`');
  for (const profile of report.profiles) {
    const until = profile.credentialsUntil;
    const left = until === null ? undefined : duration(Date.parse(until) - now.getTime());
    lines.push(
      `AWS       profile ${printable(profile.name)}: ${profile.role}${left ? `, credentials for ${left}` : ''}`,
    );
    if (profile.trouble) lines.push(`          not renewed yet: ${printable(profile.trouble)}`);
  }
  lines.push(
    `Git       ${report.git ? 'CodeCommit in every region, through vouch' : 'not set up: run `vouch setup codecommit`'}`,
  );
  for (const lend of report.lends) {
    lines.push(`Lent      "${lend.name}" until ${clockTime(new Date(lend.until), now)}: ${whatIsLent(lend)}`);
  }
  return lines;
}
