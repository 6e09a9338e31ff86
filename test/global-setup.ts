import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from './support/ensure-built.ts';
import { endLeftBehind } from './support/left-behind.ts';
import { offerPostgres } from './support/postgres.ts';

/**
 * Before the first test: builds the programs and pages from this source, creates one folder for all that tests write, and offers
 * PostgreSQL, which starts when the first test asks for it.
 * After the last test: fails if any process that tests started is left.
 */
export default async function setup(): Promise<() => Promise<void>> {
  await ensureBuilt();
  // Short, because a socket's path may have only about 100 bytes.
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'vt-'));
  process.env.TMPDIR = folder;
  const stopPostgres = await offerPostgres(folder);
  return async () => {
    await stopPostgres();
    const left = await endLeftBehind(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    if (left.length === 0) return;
    const list = left.map(({ pid, command }) => `  ${pid}  ${command.slice(0, 300)}`).join('\n');
    // The runner prints an error thrown here, but by default exits with 0.
    process.exitCode = 1;
    throw new Error(`These processes outlived the tests that started them:\n${list}`);
  };
}
