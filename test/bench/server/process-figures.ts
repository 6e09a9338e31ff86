import { readdirSync, readFileSync } from 'node:fs';

/**
 * The processor time that a process has taken so far, in milliseconds: all of its threads, in the program and in the kernel
 * (proc(5), /proc/pid/task/tid/schedstat; Node keeps its threads).
 */
export function cpuMilliseconds(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

/** A process's resident memory, in MB (proc(5), /proc/pid/status). */
export function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
