import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLend } from '../../../cli/agent/client/lend-requests.ts';
import { agentStatus } from '../../../cli/agent/client/requests.ts';
import { gitSocket } from '../../../cli/runtime-folder/runtime-folder.ts';
import { run } from '../../support/run.ts';
import type { Bench, Row, Target, WarmSandbox } from '../bench.ts';
import type { Day } from '../day.ts';
import { getCredential, hasPassword } from '../git-socket-client.ts';
import { spread } from '../harness.ts';
import { logIn } from '../logins.ts';
import { bareMemory, residentMemory } from '../memory.ts';

/** Each round measures a new agent. */
const rounds = 3;

/** How many lends there are for the memory of one: as many as the agent allows, less some. */
const lends = 25;

/**
 * Counts as no growth: the code that V8 compiles after a while takes some megabytes, once. Keeping two kilobytes of each of
 * 10,000 answers would exceed this.
 */
const noGrowth: Target = { bound: 'at most', value: 1.15, unit: 'times' };

/** The same for a heap without garbage: it grows by a megabyte and a half over ten hours, and hardly at all after that. */
const noLeak: Target = { bound: 'at most', value: 1.1, unit: 'times' };

/**
 * How much memory the agent takes all day. Compares its process after a login and 10,000 answers with the same process after 100
 * answers, and with a Node that only listens on a socket. Also its heap after 8 hours of simulated time, with a fetch a minute
 * and the renewals that become due (day.ts). And what one lent socket adds that was used.
 */
export const agentMemory: Bench = {
  name: 'agent-memory',
  async run(warm: WarmSandbox) {
    const taken: { early: number; late: number; bare: number; lent: number }[] = [];
    for (let round = 0; round < rounds; round++) taken.push(await memoryOfNewAgent(warm));
    const [early, late, bare] = (['early', 'late', 'bare'] as const).map((key) => taken.map((one) => one[key]));
    const lent = taken.map((one) => one.lent);
    const what = "the agent's memory after 10,000 answers";
    const day = await workingDay(warm);
    return [
      memoryRow(what, 'after 100 answers', noGrowth, late, early),
      memoryRow(what, 'a Node that listens on a socket', { bound: 'at most', value: 1.6, unit: 'times' }, late, bare),
      {
        what: 'one lent socket, used',
        against: 'the agent before',
        target: { bound: 'at most', value: 1, unit: 'MB' },
        measured: spread(lent),
        note: `of ${lends}`,
      },
      {
        ...memoryRow("the agent's heap after 8 h", 'after 100 minutes', noLeak, [day.late], [day.early]),
        note: `${day.answers} answers with ${day.stsCalls} calls to STS`,
      },
    ];
  },
};

async function memoryOfNewAgent({ sandbox, person, personEnv: env, request }: WarmSandbox) {
  await run('vouch', ['agent', 'stop'], { env });
  await logIn(env, person);
  const { pid } = await agentStatus(env);
  const answers = async (count: number) => {
    let left = count;
    const client = async () => {
      while (left-- > 0) {
        if (!hasPassword(await getCredential(gitSocket(env), request))) throw new Error('the agent gave no password');
      }
    };
    await Promise.all(Array.from({ length: 20 }, client));
    return residentMemory(pid);
  };
  const early = await answers(100);
  const late = await answers(9900);
  const lent = await memoryOfLends(env, request, pid);
  return { early, late, lent, bare: await bareMemory(join(sandbox.folder, 'tmp'), env) };
}

/** How many MB one lend adds, by opening many and using each. */
async function memoryOfLends(env: Record<string, string>, request: string, pid: number): Promise<number> {
  const asked = { profiles: [], repos: ['*'], branches: [], pullOnly: true, seconds: 3600, aws: false, tied: false };
  const use = async () => {
    const { lend } = await startLend(asked, env);
    for (let i = 0; i < 20; i++) {
      if (!hasPassword(await getCredential(lend.gitSocket, request))) throw new Error('the lend gave no password');
    }
    return lend;
  };
  // The first loads and compiles code, once.
  await use();
  const before = residentMemory(pid);
  for (let i = 0; i < lends; i++) await use();
  return Math.max(0, residentMemory(pid) - before) / lends;
}

/** Compares pair by pair. */
function memoryRow(what: string, against: string, target: Target, ours: number[] = [], peer: number[] = []): Row {
  const ratio = ours.map((value, round) => value / (peer[round] ?? 0));
  return { what, against, target, measured: spread(ratio), ours: spread(ours), peer: spread(peer), sides: 'MB' };
}

async function workingDay({ sandbox }: WarmSandbox): Promise<Day> {
  const home = join(sandbox.folder, 'day');
  mkdirSync(join(home, '.aws'), { recursive: true, mode: 0o700 });
  const profile = `[profile vouch]\ncredential_process = vouch credential aws --role ${sandbox.roleArn}\n`;
  writeFileSync(join(home, '.aws/config'), profile);
  const env = { PATH: sandbox.env.PATH ?? '', HOME: home, XDG_RUNTIME_DIR: home };
  const args = ['--expose-gc', join(import.meta.dirname, '../day.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as Day;
}
