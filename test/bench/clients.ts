/**
 * Clients of git.sock, in their own process as in real life: `node clients.ts SOCKET REQUEST-FILE LOAD`. The load, and the
 * LoadResult that it prints, are JSON (agent-load.ts).
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCredential, hasPassword } from './git-socket-client.ts';

/** The load that the clients put on the agent. */
export interface Load {
  clients: number;
  /** How many times each client asks. */
  rounds: number;
  /**
   * What a client does after an answer: it asks again at once, waits for the others so that all ask in the same moment, or
   * pauses for this long on average, in milliseconds.
   */
  pacing: 'again' | 'together' | number;
}

/** What the clients got. */
export interface LoadResult {
  /** From connection to the end of the answer, in milliseconds: one for each good answer. */
  waits: number[];
  /** How many answers were wrong or missing. */
  errors: number;
  seconds: number;
}

const [path = '', requestFile = '', load = ''] = process.argv.slice(2);
const request = readFileSync(requestFile, 'utf8');
const { clients, rounds, pacing } = JSON.parse(load) as Load;
let result: LoadResult = { waits: [], errors: 0, seconds: 0 };

// Warm-up: V8 compiles the clients' code only after many runs, and that time is not the agent's.
for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 50 }, once));
result = { waits: [], errors: result.errors, seconds: 0 };

const start = performance.now();
if (pacing === 'together') {
  for (let round = 0; round < rounds; round++) await Promise.all(Array.from({ length: clients }, once));
} else {
  await Promise.all(Array.from({ length: clients }, client));
}
result.seconds = (performance.now() - start) / 1000;
process.stdout.write(JSON.stringify(result));

async function client(): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    if (typeof pacing === 'number') await sleep(Math.random() * 2 * pacing);
    await once();
  }
}

async function once(): Promise<void> {
  const start = performance.now();
  const answer = await getCredential(path, request).catch(() => '');
  const wait = performance.now() - start;
  if (hasPassword(answer)) result.waits.push(wait);
  else result.errors++;
}
