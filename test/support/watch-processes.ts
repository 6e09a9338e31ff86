import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** A watch of the processes of this machine. */
export interface Watch {
  /** Resolves when every process that runs now has been looked at. */
  look(): Promise<void>;
  /** Ends the watch. @returns each argument list and each environment that was seen, once */
  end(): Promise<{ looks: number; argumentLists: string[]; environments: string[] }>;
}

/**
 * Reads /proc again and again, as any other program of this user could. It does so in another thread, because this process may
 * be among the watched ones.
 */
export function watchProcesses(): Watch {
  const looks = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(import.meta.filename, { workerData: looks });
  const found = new Promise<{ argumentLists: string[]; environments: string[] }>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    async look() {
      // The look that is under way may have begun too early, so wait for the next one too.
      const enough = Atomics.load(looks, 0) + 2;
      for (let now = Atomics.load(looks, 0); now < enough; now = Atomics.load(looks, 0)) {
        await Atomics.waitAsync(looks, 0, now).value;
      }
    },
    async end() {
      Atomics.store(looks, 1, 1);
      return { looks: Atomics.load(looks, 0), ...(await found) };
    },
  };
}

if (!isMainThread && workerData instanceof Int32Array) {
  const looks = workerData;
  const argumentLists = new Set<string>();
  const environments = new Set<string>();
  while (Atomics.load(looks, 1) === 0) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      argumentLists.add(readIfThere(`/proc/${pid}/cmdline`));
      environments.add(readIfThere(`/proc/${pid}/environ`));
    }
    Atomics.add(looks, 0, 1);
    Atomics.notify(looks, 0);
  }
  parentPort?.postMessage({ argumentLists: [...argumentLists], environments: [...environments] });
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
