import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { run } from '../../support/run.ts';
import { type Bench, type Row, ratioRow, type WarmSandbox } from '../bench.ts';
import { measurePairs, program, type Subject, spread } from '../harness.ts';
import { logIn } from '../logins.ts';

/**
 * The two waits of a login, with the person between them. The first lasts from the start of `vouch login` until its browser
 * runs: here a shell that writes into a pipe. No agent runs before it, as in the morning. The second lasts from the browser's
 * request to the listener of `vouch login` until "Signed in" is printed; a new agent then has the session.
 */
export const login: Bench = {
  name: 'login',
  async run({ sandbox, person, personEnv: env }: WarmSandbox) {
    const how = { env, cwd: sandbox.home };
    await run('vouch', ['agent', 'stop'], how);
    const opening = browserOpening(sandbox.folder, how);
    let row: Row;
    try {
      const peer = { ...program('node', ['-e', '0'], how), prepare: opening.prepare };
      row = ratioRow('vouch login, until the browser opens', 'node -e 0', 8, await measurePairs(opening, peer, 30));
    } finally {
      await opening.prepare();
    }
    const waits: number[] = [];
    for (let round = 0; round < 15; round++) {
      await run('vouch', ['agent', 'stop'], how);
      waits.push(await logIn(env, person));
    }
    const took = spread(waits);
    return [
      row,
      {
        what: 'vouch login, from the callback to "Signed in"',
        against: '',
        target: { bound: 'at most', value: 250, unit: 'ms' },
        measured: took,
        ours: took,
      },
    ];
  },
};

/** Reports when the browser runs, waits for a line, and ends the login. */
const watch = `vouch login --timeout 60 >/dev/null 2>&1 &
read -r opened <"$1" && echo "$opened"
read -r line
kill "$!"
wait "$!"`;

/** `vouch login` until its browser opens. The next `prepare` ends the login. */
function browserOpening(folder: string, { env, cwd }: { env: Record<string, string>; cwd: string }) {
  const pipe = join(folder, 'tmp', 'browser-opened');
  const browser = join(folder, 'tmp', 'browser-of-bench');
  execFileSync('mkfifo', ['-m', '600', pipe]);
  writeFileSync(browser, `#!/bin/sh\necho opened >'${pipe}'\n`, { mode: 0o755 });
  let child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  return {
    async prepare() {
      if (child === undefined) return;
      child.stdin.end('\n');
      if (child.exitCode === null) await once(child, 'exit');
      child = undefined;
    },
    async run() {
      child = spawn('/bin/sh', ['-c', watch, 'watch', pipe], {
        env: { ...env, BROWSER: browser },
        cwd,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const [said] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(30_000) });
      if (String(said) !== 'opened\n') throw new Error('vouch login opened no browser');
    },
  } satisfies Subject;
}
