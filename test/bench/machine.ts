import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, platform, release } from 'node:os';

/** What the figures depend on, without anything that identifies the machine. */
export function machine(): Record<string, string> {
  return {
    processor: `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}`,
    system: `${platform()} ${release().replace(/^(\d+\.\d+).*$/, '$1')}`,
    node: `Node ${process.versions.node}`,
    git: execFileSync('git', ['version'], { encoding: 'utf8' }).trim().replace('git version', 'Git'),
  };
}

/** How many processes wanted to run in the last minute. If these exceed the number of cores, all figures are too high. */
export function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
