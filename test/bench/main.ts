/** `npm run bench [-- [--json FILE] [--svg FILE] [NAME…]]`: docs/performance.md explains the figures. */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { type Bench, isMet, type Row } from './bench.ts';
import { agentLoad } from './benches/agent-load.ts';
import { agentMemory } from './benches/agent-memory.ts';
import { awsHelper } from './benches/aws-helper.ts';
import { firstGet } from './benches/first-get.ts';
import { helper } from './benches/helper.ts';
import { login } from './benches/login.ts';
import { lsRemote } from './benches/ls-remote.ts';
import { nodePath } from './benches/node-path.ts';
import { status } from './benches/status.ts';
import { chart } from './chart.ts';
import { load, machine } from './machine.ts';
import { table } from './table.ts';
import { startWarmSandbox } from './warm-sandbox.ts';

const benches: Bench[] = [helper, awsHelper, nodePath, status, lsRemote, login, firstGet, agentLoad, agentMemory];

const command = new Command('bench')
  .description('Measures Vouch side by side with its peers, in a sandbox.')
  .option('--json <file>', 'write the figures')
  .option('--svg <file>', 'draw them')
  .argument('[names...]', `the benches to run: ${benches.map(({ name }) => name).join(', ')}; all by default`)
  .action(async (names: string[], { json, svg }: { json?: string; svg?: string }) => {
    const unknown = names.find((name) => !benches.some((bench) => bench.name === name));
    if (unknown !== undefined) throw new Error(`there is no bench named ${unknown}`);
    const before = load();
    const rows = await measure(benches.filter(({ name }) => names.length === 0 || names.includes(name)));
    const on = { ...machine(), load: `load ${before} before and ${load()} after` };
    process.stdout.write(`${Object.values(on).join(', ')}\n\n${table(rows)}`);
    if (json !== undefined) {
      const results = rows.map((row) => ({ ...row, met: isMet(row) ?? null }));
      writeFileSync(json, `${JSON.stringify({ machine: on, rows: results }, null, 2)}\n`);
    }
    if (svg !== undefined) writeFileSync(svg, chart(rows));
  });

try {
  await command.parseAsync();
} catch (error) {
  fail(error);
}

/** Runs the benches one after the other in one sandbox. If one cannot run, the others still do. */
async function measure(wanted: readonly Bench[]): Promise<Row[]> {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stopping.abort(new Error(`ended by ${name}`)));
  }
  process.stderr.write('Starting a Vouch server, a local AWS and a browser …\n');
  await using warm = await startWarmSandbox(stopping.signal);
  const rows: Row[] = [];
  for (const { name, run } of wanted) {
    stopping.signal.throwIfAborted();
    process.stderr.write(`Measuring ${name} …\n`);
    try {
      rows.push(...(await run(warm)));
    } catch (error) {
      fail(new Error(`${name} could not run: ${(error as Error).message}`));
    }
  }
  return rows;
}

function fail(error: unknown): void {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
