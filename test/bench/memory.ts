import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How much of a process lies in memory, its share of the program's file included, in MB. */
export function residentMemory(pid: number): number {
  // Exact, where `ps` may be behind.
  const file = `/proc/${pid}/smaps_rollup`;
  const text = existsSync(file)
    ? (/^Rss:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '')
    : execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' }).trim();
  if (!/^\d+$/.test(text)) throw new Error(`the memory of process ${pid} cannot be seen`);
  return Number(text) / 1024;
}

/**
 * What a Node needs that does nothing but to listen on a socket, in MB.
 *
 * @param folder where the socket may be
 */
export async function bareMemory(folder: string, env: Record<string, string>): Promise<number> {
  // It ends with its input, and takes its socket away.
  const program = `const server = require('node:net').createServer().listen(process.argv[1], () => console.log('ready'));
    process.stdin.on('end', () => server.close()).resume();`;
  const child = spawn(process.execPath, ['-e', program, join(folder, 'bare.sock')], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  try {
    await Promise.race([once(child.stdout, 'data'), ended]);
    return residentMemory(child.pid ?? 0);
  } finally {
    child.stdin.end();
    await ended;
  }
}
