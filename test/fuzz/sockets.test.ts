import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startLend } from '../../cli/agent/client/lend-requests.ts';
import { agentStatus } from '../../cli/agent/client/requests.ts';
import { programFile } from '../../cli/programs.ts';
import { flawIn, requestCredentials } from '../chaos/attempt.ts';
import { startWorld, type World, type WorldRole } from '../chaos/world.ts';
import { Random } from '../support/random.ts';
import { mutated } from './mutate.ts';
import {
  gitRequests,
  host,
  httpRequests,
  lendRequests,
  oddGitRequests,
  oddHttpRequests,
  oddLendRequests,
} from './shapes.ts';
import { type Delivery, inOnePiece, talk } from './talk.ts';

/** How long the test sends nonsense, in milliseconds. */
const duration = 30_000;

/** The agent's largest heap, in MB: twice what an idle agent has. */
const heapMegabytes = 48;

/** How much the agent's resident memory may grow after the first third of the time, in MB. */
const allowedGrowth = 64;

const random = Random.seeded('VOUCH_FUZZ_SEED');
let world: World;
let role: WorldRole;
let pid: number;
/** The socket of a lend that opens one repository. */
let lentSocket: string;

beforeAll(async () => {
  world = await startWorld(1);
  const [only] = world.roles;
  if (only === undefined) throw new Error('there is no role');
  role = only;
  pid = await startSmallAgent();
  await world.logIn();
  const asked = { profiles: [role.profile], repos: ['demo'], branches: [], pullOnly: true, aws: false, tied: false };
  const { lend } = await startLend({ ...asked, name: 'fuzz', seconds: 3600 }, world.env);
  lentSocket = lend.gitSocket;
});
afterAll(() => world?.close());

/**
 * Starts the agent with so little memory that it would soon crash if it kept any of the requests.
 *
 * @returns its process id
 */
async function startSmallAgent(): Promise<number> {
  const flags = ['--disable-sigusr1', `--max-old-space-size=${heapMegabytes}`, programFile('agent')];
  // The memory arenas that glibc keeps for each thread would look like growth (mallopt(3), M_ARENA_MAX).
  const env = { ...world.env, MALLOC_ARENA_MAX: '1' };
  const agent = spawn(process.execPath, flags, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: agent.stdout }), 'line');
  expect(line).toBe('{"state":"ready"}');
  return agent.pid ?? 0;
}

/** The agent that has run all the time answers good requests on both sockets. */
async function expectWell(): Promise<void> {
  const answers = await Promise.all(
    (['git', 'http'] as const).map((channel) =>
      requestCredentials(world, channel, role, { host, path: 'v1/repos/demo' }),
    ),
  );
  for (const answer of answers) {
    expect(answer.refused).toBeUndefined();
    expect(flawIn(world, answer)).toBeUndefined();
  }
  expect((await agentStatus(world.env)).pid).toBe(pid);
}

/** A request that looks valid may get an answer, but only for exactly what it asks. */
async function sendToGit(bytes: Uint8Array, delivery: Delivery): Promise<void> {
  const answer = await talk(world.gitSocket, bytes, delivery);
  if (answer !== '') expectRight(bytes, answer);
}

/** What a lent socket gives is for the repository that was lent, and AWS has its fence. */
async function sendToLend(bytes: Uint8Array, delivery: Delivery): Promise<void> {
  const answer = await talk(lentSocket, bytes, delivery);
  if (answer === '' || answer === 'quit=1\n') return;
  const { username, path } = expectRight(bytes, answer);
  expect(path).toBe('v1/repos/demo');
  const [accessKeyId = '', token] = username.split(/%(.*)/s, 2);
  const { policy } = world.aws.sessions.find(accessKeyId, token) ?? {};
  expect(policy?.Statement).toEqual([
    { Effect: 'Allow', Action: 'codecommit:GitPull', Resource: ['arn:aws:codecommit:*:123456789012:demo'] },
  ]);
}

/** @returns the user name that was given, and the path that it is for */
function expectRight(bytes: Uint8Array, answer: string): { username: string; path: string } {
  const text = Buffer.from(bytes).toString('utf8');
  const lines = text.split('\n');
  // An ambiguous request gets no answer at all.
  const names = lines.flatMap((line) => /^(?:protocol|host|path|username)(?==)/.exec(line)?.[0] ?? []);
  expect([/[\0\r]/.test(text), new Set(names).size], text).toEqual([false, names.length]);
  const value = (name: string) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  const [, password = ''] = /^(?:password|credential)=(.+)$/m.exec(answer) ?? [];
  const [username = '', secret = ''] = answer.includes('credential=')
    ? Buffer.from(password, 'base64').toString().split(/:(.*)/s, 2)
    : [/^username=(.+)$/m.exec(answer)?.[1], password];
  const given = { username, password: secret, expiry: 0 };
  const attempt = { channel: 'git' as const, role, at: Date.now(), until: Date.now(), waited: 0, given };
  expect(flawIn(world, { ...attempt, host: value('host'), path: value('path') }), String(bytes)).toBeUndefined();
  return { username, path: value('path') };
}

/** Every answer is HTTP, and none reports an error in the agent itself. */
async function sendToHttp(bytes: Uint8Array, delivery: Delivery): Promise<void> {
  const answer = await talk(world.agentSocket, bytes, delivery);
  if (answer === '') return;
  expect(answer).toMatch(/^HTTP\/1\.1 [1-5]\d\d /);
  expect(answer, Buffer.from(bytes).toString('latin1').slice(0, 2000)).not.toMatch(/^HTTP\/1\.1 500 |internal-error/m);
}

test('30 s of nonsense on all sockets, a lent one too: the agent survives, does not grow, and serves the next good request', async () => {
  await expectWell();
  const filesAtFirst = await world.agentFiles();
  const begun = Date.now();
  const left = () => Math.max(0, begun + duration - Date.now());
  let count = 0;
  const counted = async (saying: Promise<void>) => {
    await saying;
    count += 1;
  };

  const delivery = (choices: Random): Delivery => ({
    pieces: choices.pick([1, 1, 1, 2, 7]),
    pause: choices.pick([0, 0, 0, 1, 20]),
    // A waiting client stays until the agent hangs up, so few of them wait.
    last: choices.next() < 0.05 ? 'wait' : choices.pick(['close', 'close', 'close', 'cut']),
  });
  /** Requests that are odd by design. */
  const odd = async (number: number) => {
    const choices = new Random(random.seed + number);
    while (left() > 0) {
      if (number % 4 === 0) await counted(sendToGit(oddGitRequests(choices), delivery(choices)));
      else if (number % 4 === 2) await counted(sendToLend(oddLendRequests(choices), delivery(choices)));
      else await counted(sendToHttp(oddHttpRequests(choices), delivery(choices)));
      await wait(choices.between(0, 20));
    }
  };
  /** Nearly valid requests; fast-check searches for the smallest one that does harm. */
  const nearlyRight = async (
    seed: number,
    requests: string[],
    send: (bytes: Uint8Array, delivery: Delivery) => Promise<void>,
  ) => {
    const property = fc.asyncProperty(mutated(requests), (bytes) => counted(send(bytes, inOnePiece)));
    const limits = { numRuns: 1_000_000, interruptAfterTimeLimit: duration, markInterruptAsFailure: false };
    await fc.assert(property, { seed, ...limits });
  };
  /** Hundreds of silent connections; the agent hangs up on them. */
  const crowd = async () => {
    while (left() > 0) {
      const path = random.pick([world.gitSocket, world.agentSocket, lentSocket]);
      await Promise.all(
        Array.from({ length: 300 }, () => talk(path, new Uint8Array(), { pieces: 1, pause: 0, last: 'wait' })),
      );
    }
  };
  const good = async () => {
    while (left() > 0) {
      await expectWell();
      await wait(500);
    }
  };
  const memory: number[] = [];
  const scales = async () => {
    while (left() > 0) {
      memory.push(residentMegabytes(pid));
      await wait(500);
    }
  };

  await Promise.all([
    ...Array.from({ length: 8 }, (_, number) => odd(number)),
    ...[1, 2].map((number) => nearlyRight(random.seed + number, gitRequests(role), sendToGit)),
    ...[7, 8].map((number) => nearlyRight(random.seed + number, lendRequests(role), sendToLend)),
    ...[4, 5, 6].map((number) => nearlyRight(random.seed + number, httpRequests(role), sendToHttp)),
    crowd(),
    good(),
    scales(),
  ]);
  await expectWell();
  // Nothing was asked that the lend does not need, and nothing was answered that it had not.
  const lent = world.aws.log.filter(({ principalTags }) => principalTags?.['vouch:Lent'] === 'fuzz');
  expect(lent.length).toBe(1);
  const thirds = [memory.slice(0, memory.length / 3), memory.slice(memory.length / 3)].map((part) => Math.max(...part));
  const [first = 0, rest = 0] = thirds;
  process.stdout.write(
    `${count} requests; at most ${first.toFixed()} MB in the first third, ${rest.toFixed()} MB later\n`,
  );
  expect(rest).toBeLessThan(first + allowedGrowth);
  if (filesAtFirst !== undefined) {
    await vi.waitFor(async () => expect(await world.agentFiles()).toBeLessThanOrEqual(filesAtFirst + 5), {
      timeout: 15_000,
      interval: 200,
    });
  }
}, 120_000);

function residentMegabytes(process: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(process)], { encoding: 'utf8' })) / 1024;
}
