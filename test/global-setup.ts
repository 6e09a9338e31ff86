import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from './support/ensure-built.ts';
import { endLeftBehind } from './support/left-behind.ts';

/**
 * Before any test: the programs and pages that the tests run are the ones of this source, and all that they write is in one folder.
 * After the last one: no process that they have started is left.
 */
export default async function setup(): Promise<() => Promise<void>> {
  await ensureBuilt();
  // Short, as a socket's path may have about 100 bytes.
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'vt-'));
  process.env.TMPDIR = folder;
  return async () => {
    const left = await endLeftBehind(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    if (left.length === 0) return;
    const list = left.map(({ pid, command }) => `  ${pid}  ${command.slice(0, 300)}`).join('\n');
    // The runner prints what is thrown here, and ends well all the same.
    process.exitCode = 1;
    throw new Error(`These processes outlived the tests that started them:\n${list}`);
  };
}
