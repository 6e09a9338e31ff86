import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The resident memory of a process in MB, including the pages of its program's file. */
export function residentMemory(pid: number): number {
  // This is exact; the figure of `ps` may lag behind.
  const file = `/proc/${pid}/smaps_rollup`;
  const text = existsSync(file)
    ? (/^Rss:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '')
    : execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' }).trim();
  if (!/^\d+$/.test(text)) throw new Error(`the memory of process ${pid} cannot be read`);
  return Number(text) / 1024;
}

/**
 * The memory of a Node that only listens on a socket, in MB.
 *
 * @param folder for the socket
 */
export async function bareMemory(folder: string, env: Record<string, string>): Promise<number> {
  // It ends when its input ends, and removes its socket.
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
