import { rmSync } from 'node:fs';

/**
 * Removes a file when a signal ends the process: half a backup is worth nothing, and is as secret as a whole one.
 *
 * @returns what ends that
 */
export function removeAtSignals(file: string): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const remove = (signal: NodeJS.Signals) => {
    rmSync(file, { force: true });
    forget();
    process.kill(process.pid, signal);
  };
  const forget = () => {
    for (const signal of signals) process.off(signal, remove);
  };
  for (const signal of signals) process.on(signal, remove);
  return forget;
}
