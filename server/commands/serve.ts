import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { readConfig } from '../config/config.ts';
import { computeOnThisThread } from '../process/crypto-on-this-thread.ts';
import { end } from '../process/end.ts';
import { printError } from '../process/print-error.ts';
import { boundHeap } from '../process/save-memory.ts';

/** How long a start may still take after a signal, in milliseconds: nobody has been told yet that anything is stored. */
const START_MS = 5_000;

/** How long the end waits, in milliseconds, for the log's last lines: pino writes them on another thread, and `end` ends that too. */
const LAST_LINES_MS = 100;

/** `vouch-server serve` */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description('run the server (settings: VOUCH_ISSUER and other environment variables, see docs/administration.md)')
    .action(async () => {
      boundHeap();
      computeOnThisThread();
      const { serve } = await import('../serve.ts');
      const config = readConfig(process.env);
      const server = serve(config);
      let closing = false;
      const stop = () => {
        // A second signal ends it at once.
        if (closing) process.exit(1);
        closing = true;
        // What a start waits for may be away.
        const late = setTimeout(end, START_MS);
        const started = server.finally(() => clearTimeout(late));
        const ended = started.then(({ close }) => close()).then(() => sleep(LAST_LINES_MS));
        ended.then(end, (error: Error) => process.exit(printError(error)));
      };
      // Before the log says that it listens: a reader of that line may send a signal at once.
      process.on('SIGINT', stop);
      process.on('SIGTERM', stop);
      // As programs that renew certificates send it. Without one, a terminal that is closed ends the server.
      if (config.tls !== undefined) {
        const reload = () =>
          server.then(
            (running) => running.reload(),
            () => {},
          );
        process.on('SIGHUP', () => void reload());
      }
      await server;
    });
}
