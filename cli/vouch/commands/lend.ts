import { endLend, listLends } from '../../agent/client/lend-requests.ts';
import type { Lend } from '../../agent/protocol/lends.ts';
import { configText } from '../../git/config-text.ts';
import { gitSettings } from '../../lend/git-settings.ts';
import { stillHonoured, whatIsLent } from '../../lend/lend-words.ts';
import { openLastingLend } from '../../lend/open-lend.ts';
import type { LendOptions } from '../../lend/options.ts';
import { printNote } from '../../problem/print.ts';
import { Problem } from '../../problem/problem.ts';
import type { Io } from '../../terminal/io.ts';
import { listing } from '../../terminal/listing.ts';
import { fitted } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';
import { clockTime, duration } from '../../text/time.ts';

interface Json {
  json?: boolean;
}

/** How wide the labels are before what is lent. */
const labelWidth = 10;

/** `vouch lend`: opens a lend that lasts until its time. */
export async function lend(options: LendOptions & Json, io: Io): Promise<number> {
  const opened = await openLastingLend(options, io);
  if (options.json) {
    io.stdout.write(`${jsonText(opened)}\n`);
    return 0;
  }
  const { name, gitSocket, until, repos, profiles, awsEndpoint } = opened;
  const [now, end] = [new Date(), new Date(until)];
  const left = duration(end.getTime() - now.getTime());
  const headline = `Lent as "${name}" until ${clockTime(end, now)}, ${left} from now: ${whatIsLent(opened)}`;
  const lines = [
    ...profiles.map(({ profile, role }) => `Role      ${role} (${printable(profile)})`),
    `Socket    ${gitSocket}`,
    ...(awsEndpoint === null
      ? []
      : [`AWS       ${awsEndpoint.url} (only \`vouch lend --aws --json\` prints its token)`]),
    `Git there \`vouch lend git-config ${name}\` prints its settings`,
    `End it    \`vouch lend end ${name}\``,
  ];
  const shown = [fitted(headline, io.stdout), fitted(lines.join('\n'), io.stdout, labelWidth)];
  io.stdout.write(`${shown.join('\n')}\n`);
  if (repos.length === 0) {
    printNote(io.stderr, {
      what: 'It opens every repository that the role can open.',
      fix: 'Name those that are needed with --repo.',
    });
  }
  return 0;
}

/** `vouch lend list`: what is lent, the oldest first. */
export async function lendList({ json = false }: Json, io: Io): Promise<number> {
  const lends = await lendsHere(io.env);
  if (json) {
    io.stdout.write(`${jsonText({ lends })}\n`);
    return 0;
  }
  if (lends.length === 0) {
    io.stdout.write('Nothing is lent. Lend with `vouch lend --repo NAME`\n');
    return 0;
  }
  const now = new Date();
  const rows = lends.map((one) => {
    const until = `${clockTime(new Date(one.until), now)}${one.tied ? ', or its command’s end' : ''}`;
    const [what, roles] = [whatIsLent(one), printable(one.profiles.map(({ profile }) => profile).join(' '))];
    return { cells: [one.name, until, roles, what], lines: [one.name, `until ${until}`, `profile ${roles}`, what] };
  });
  io.stdout.write(listing(['NAME', 'UNTIL', 'PROFILE', 'WHAT'], rows, io.stdout.columns));
  return 0;
}

/** `vouch lend end`: ends one, or all. */
export async function lendEnd(name: string | undefined, options: Json & { all?: boolean }, io: Io): Promise<number> {
  const { json = false, all = false } = options;
  if ((name === undefined) !== all) {
    throw new Problem({
      kind: 'usage',
      what: 'It is not clear which lend to end.',
      fix: 'Give the name of one, or `--all`. `vouch lend list` shows them.',
    });
  }
  const names = name === undefined ? (await lendsHere(io.env)).map((one) => one.name) : [name];
  const ended = [];
  for (const one of names) {
    // Between the list and now it may have ended by itself.
    const gone = (error: unknown) => {
      if (!all || !(error instanceof Problem) || error.kind !== 'lend-unknown') throw error;
      return undefined;
    };
    const answer = await endLend(one, io.env).catch(gone);
    if (answer) ended.push(answer);
  }
  if (json) {
    io.stdout.write(`${jsonText({ ended })}\n`);
    return 0;
  }
  const now = new Date();
  const lines = ended.map((one) =>
    [`Ended "${one.name}"`, stillHonoured(one.awsUntil, now)].filter((part) => part !== undefined).join('. '),
  );
  io.stdout.write(`${lines.length === 0 ? 'Nothing was lent' : lines.join('\n')}\n`);
  return 0;
}

/** `vouch lend git-config`: Git's settings for a place that has Git alone. */
export async function lendGitConfig(name: string, options: Json & { socket?: string }, io: Io): Promise<number> {
  const found = await findLend(name, io.env);
  const settings = gitSettings(found, options.socket ?? found.gitSocket);
  io.stdout.write(options.json ? `${jsonText({ settings })}\n` : configText(settings));
  return 0;
}

/** What is lent. Without an agent that is nothing, and nobody has to sign in to be told. */
async function lendsHere(env: NodeJS.ProcessEnv): Promise<Lend[]> {
  try {
    return (await listLends(env)).lends;
  } catch (error) {
    if (error instanceof Problem && error.kind === 'agent-not-running') return [];
    throw error;
  }
}

async function findLend(name: string, env: NodeJS.ProcessEnv): Promise<Lend> {
  const { lends } = await listLends(env);
  const found = lends.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Problem({
    kind: 'lend-unknown',
    what: `There is no lend "${name}".`,
    why: lends.length === 0 ? 'Nothing is lent.' : `The lends are: ${lends.map((one) => one.name).join(', ')}.`,
    fix: 'Open one with `vouch lend`.',
  });
}
