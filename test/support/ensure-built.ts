import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createBuilder } from 'vite';

const root = resolve(import.meta.dirname, '../..');
const stamp = join(root, 'dist/.built');

/** Builds pages, command line programs, server and manual into dist/, unless nothing has changed since the last build. */
export async function ensureBuilt(): Promise<void> {
  const newest = newestChange([
    'cli',
    'server',
    'web',
    'deploy/manual',
    'programs.ts',
    'vite.config.ts',
    'program-start.sh',
    'package.json',
    'package-lock.json',
  ]);
  if ((statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= newest) return;
  // Vite reads NODE_ENV, which a test runner sets: every build is for production.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  try {
    for (const mode of ['pages', 'cli', 'server']) {
      // Like `vite build`: null leaves it to the configuration whether to build several environments.
      const builder = await createBuilder({ configFile: join(root, 'vite.config.ts'), mode, logLevel: 'error' }, null);
      await builder.buildApp();
    }
    execFileSync(process.execPath, [join(root, 'deploy/manual/main.ts')]);
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
  writeFileSync(stamp, '');
  // The time before the build, so that files changed during it are newer.
  utimesSync(stamp, newest / 1000, newest / 1000);
}

function newestChange(paths: string[]): number {
  let newest = 0;
  for (const path of paths) {
    const whole = join(root, path);
    const found = statSync(whole);
    newest = Math.max(newest, Math.ceil(found.mtimeMs));
    if (!found.isDirectory()) continue;
    for (const entry of readdirSync(whole, { recursive: true, withFileTypes: true })) {
      newest = Math.max(newest, Math.ceil(statSync(join(entry.parentPath, entry.name)).mtimeMs));
    }
  }
  return newest;
}
