import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** A watch of the processes of this machine. */
export interface Watch {
  /** Resolves when every process that runs now has been looked at. */
  look(): Promise<void>;
  /** Ends the watch. @returns each argument list and each environment that was seen, once, and the processes */
  end(): Promise<Found & { looks: number }>;
}

interface Found {
  argumentLists: string[];
  environments: string[];
  pids: number[];
}

/**
 * Reads /proc again and again, as any other program of this user could. It does so in another thread, because this process may
 * be among the watched ones.
 *
 * @param folders the processes that count have one of them in their arguments or their environment: other tests run at the same time
 */
export function watchProcesses(...folders: string[]): Watch {
  const looks = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(import.meta.filename, { workerData: { looks, folders } });
  const found = new Promise<Found>((resolve, reject) => {
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

if (!isMainThread && workerData?.looks instanceof Int32Array) {
  const { looks, folders } = workerData as { looks: Int32Array; folders: string[] };
  const argumentLists = new Set<string>();
  const environments = new Set<string>();
  const pids = new Set<number>();
  while (Atomics.load(looks, 1) === 0) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const [list, environment] = [readIfThere(`/proc/${pid}/cmdline`), readIfThere(`/proc/${pid}/environ`)];
      if (!folders.some((folder) => list.includes(folder) || environment.includes(folder))) continue;
      argumentLists.add(list);
      environments.add(environment);
      pids.add(Number(pid));
    }
    Atomics.add(looks, 0, 1);
    Atomics.notify(looks, 0);
  }
  parentPort?.postMessage({ argumentLists: [...argumentLists], environments: [...environments], pids: [...pids] });
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
