/**
 * Clients of git.sock, in a process of their own, as in life: `node clients.ts SOCKET REQUEST-FILE DEMAND`. The demand, and
 * what is printed, is JSON (agent-load.ts).
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, hasPassword } from './ask.ts';

/** What the clients want of the agent. */
export interface Demand {
  clients: number;
  /** How often each asks. */
  rounds: number;
  /**
   * What a client does after an answer: asks again at once, waits for the others so that all ask in the same moment, or
   * pauses for this long on average, in milliseconds.
   */
  next: 'again' | 'together' | number;
}

/** What they got. */
export interface Served {
  /** From the connecting to the answer's end, in milliseconds, one for each good answer. */
  waits: number[];
  /** Answers that were wrong or missing. */
  errors: number;
  seconds: number;
}

const [path = '', requestFile = '', demand = ''] = process.argv.slice(2);
const request = readFileSync(requestFile, 'utf8');
const { clients, rounds, next } = JSON.parse(demand) as Demand;
let served: Served = { waits: [], errors: 0, seconds: 0 };

// V8 compiles what the clients do when they have done it often: these waits would be theirs, and do not count.
for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 50 }, once));
served = { waits: [], errors: served.errors, seconds: 0 };

const start = performance.now();
if (next === 'together') {
  for (let round = 0; round < rounds; round++) await Promise.all(Array.from({ length: clients }, once));
} else {
  await Promise.all(Array.from({ length: clients }, client));
}
served.seconds = (performance.now() - start) / 1000;
process.stdout.write(JSON.stringify(served));

async function client(): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    if (typeof next === 'number') await sleep(Math.random() * 2 * next);
    await once();
  }
}

async function once(): Promise<void> {
  const start = performance.now();
  const answer = await ask(path, request).catch(() => '');
  const wait = performance.now() - start;
  if (hasPassword(answer)) served.waits.push(wait);
  else served.errors++;
}
