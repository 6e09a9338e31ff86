import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { agentStatus } from '../../cli/agent/client/client.ts';
import { programFile } from '../../cli/programs.ts';
import { ask, wrongWith } from '../chaos/ask.ts';
import { startWorld, type World, type WorldRole } from '../chaos/world.ts';
import { Random } from '../support/random.ts';
import { mutated } from './mutate.ts';
import { gitRequests, host, httpRequests, oddGitRequests, oddHttpRequests } from './shapes.ts';
import { type Manner, plainly, talk } from './talk.ts';

/** How long this goes on, in milliseconds. */
const length = 30_000;

/** What the agent may keep in its heap, in MB: twice what it has when nobody asks anything. */
const heap = 48;

/** How much more of the machine's memory than in the first third of the time it may ever have, in MB. */
const more = 64;

const random = Random.seeded('VOUCH_FUZZ_SEED');
let world: World;
let role: WorldRole;
let pid: number;

beforeAll(async () => {
  world = await startWorld(1);
  const [only] = world.roles;
  if (only === undefined) throw new Error('there is no role');
  role = only;
  pid = await startSmallAgent();
  await world.logIn();
});
afterAll(() => world?.close());

/**
 * Starts the agent with so little memory that it would not live long if it kept anything of what it is told.
 *
 * @returns its process id
 */
async function startSmallAgent(): Promise<number> {
  const flags = ['--disable-sigusr1', `--max-old-space-size=${heap}`, programFile('agent')];
  // The pieces that glibc keeps of each thread's memory are not the agent's growth (mallopt(3), M_ARENA_MAX).
  const env = { ...world.env, MALLOC_ARENA_MAX: '1' };
  const agent = spawn(process.execPath, flags, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: agent.stdout }), 'line');
  expect(line).toBe('{"state":"ready"}');
  return agent.pid ?? 0;
}

/** Good requests are served, on both sockets, by the agent that has been there all the time. */
async function expectWell(): Promise<void> {
  const answers = await Promise.all(
    (['git', 'http'] as const).map((way) => ask(world, way, role, { host, path: 'v1/repos/demo' })),
  );
  for (const answer of answers) {
    expect(answer.refused).toBeUndefined();
    expect(wrongWith(world, answer)).toBeUndefined();
  }
  expect((await agentStatus(world.env)).pid).toBe(pid);
}

/** What nobody can tell from a right request may be answered; then the answer is for what was asked, and for nothing else. */
async function sayToGit(said: Uint8Array, manner: Manner): Promise<void> {
  const answer = await talk(world.gitSocket, said, manner);
  if (answer === '') return;
  const text = Buffer.from(said).toString('utf8');
  const lines = text.split('\n');
  // What two readers could understand in two ways gets no answer at all.
  const names = lines.flatMap((line) => /^(?:protocol|host|path|username)(?==)/.exec(line)?.[0] ?? []);
  expect([/[\0\r]/.test(text), new Set(names).size], text).toEqual([false, names.length]);
  const value = (name: string) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  const [, password = ''] = /^(?:password|credential)=(.+)$/m.exec(answer) ?? [];
  const [username = '', secret = ''] = answer.includes('credential=')
    ? Buffer.from(password, 'base64').toString().split(/:(.*)/s, 2)
    : [/^username=(.+)$/m.exec(answer)?.[1], password];
  const given = { username, password: secret, expiry: 0 };
  const asked = { way: 'git' as const, role, at: Date.now(), until: Date.now(), waited: 0, given };
  expect(wrongWith(world, { ...asked, host: value('host'), path: value('path') }), String(said)).toBeUndefined();
}

/** Every answer is one of HTTP, and none says that the agent itself has failed. */
async function sayToHttp(said: Uint8Array, manner: Manner): Promise<void> {
  const answer = await talk(world.agentSocket, said, manner);
  if (answer === '') return;
  expect(answer).toMatch(/^HTTP\/1\.1 [1-5]\d\d /);
  expect(answer, Buffer.from(said).toString('latin1').slice(0, 2000)).not.toMatch(/^HTTP\/1\.1 500 |internal-error/m);
}

test('30 s of nonsense on both sockets: the agent lives, does not grow, and serves the next good request', async () => {
  await expectWell();
  const filesAtFirst = await world.agentFiles();
  const begun = Date.now();
  const left = () => Math.max(0, begun + length - Date.now());
  let count = 0;
  const counted = async (saying: Promise<void>) => {
    await saying;
    count += 1;
  };

  const manner = (choices: Random): Manner => ({
    pieces: choices.pick([1, 1, 1, 2, 7]),
    pause: choices.pick([0, 0, 0, 1, 20]),
    // Who waits does so until the agent hangs up, so few do.
    last: choices.next() < 0.05 ? 'wait' : choices.pick(['close', 'close', 'close', 'cut']),
  });
  /** What is odd by design, from so many at once. */
  const odd = async (number: number) => {
    const choices = new Random(random.seed + number);
    while (left() > 0) {
      if (number % 2 === 0) await counted(sayToGit(oddGitRequests(choices), manner(choices)));
      else await counted(sayToHttp(oddHttpRequests(choices), manner(choices)));
      await wait(choices.between(0, 20));
    }
  };
  /** What is nearly right; fast-check looks for the smallest request that does harm. */
  const nearlyRight = async (
    seed: number,
    requests: string[],
    say: (said: Uint8Array, manner: Manner) => Promise<void>,
  ) => {
    const property = fc.asyncProperty(mutated(requests), (said) => counted(say(said, plainly)));
    const limits = { numRuns: 1_000_000, interruptAfterTimeLimit: length, markInterruptAsFailure: false };
    await fc.assert(property, { seed, ...limits });
  };
  /** Hundreds of connections that say nothing; the agent hangs up on them. */
  const crowd = async () => {
    while (left() > 0) {
      const path = random.pick([world.gitSocket, world.agentSocket]);
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
    ...[1, 2, 3].map((number) => nearlyRight(random.seed + number, gitRequests(role), sayToGit)),
    ...[4, 5, 6].map((number) => nearlyRight(random.seed + number, httpRequests(role), sayToHttp)),
    crowd(),
    good(),
    scales(),
  ]);
  await expectWell();
  const thirds = [memory.slice(0, memory.length / 3), memory.slice(memory.length / 3)].map((part) => Math.max(...part));
  const [first = 0, rest = 0] = thirds;
  process.stdout.write(
    `${count} requests; at most ${first.toFixed()} MB in the first third, ${rest.toFixed()} MB later\n`,
  );
  expect(rest).toBeLessThan(first + more);
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
