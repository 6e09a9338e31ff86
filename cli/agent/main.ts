import { prepareNetwork } from '../network/proxies-and-certificates.ts';
import { asProblem } from '../problem/problem.ts';
import { protectMemory } from '../protect-memory.ts';
import { closeInheritedFiles } from './process/close-inherited-files.ts';
import { exitNow } from './process/exit-now.ts';
import { saveMemory } from './process/save-memory.ts';
import { warmUp } from './process/warm-up.ts';
import { serve } from './serve.ts';
import { takeGivenSockets } from './sockets/systemd-sockets.ts';

/**
 * The agent's program. `vouch login` and `vouch agent start` run it (client/start.ts) and read one line of JSON from its standard
 * output: `{"state":"ready"}`, `{"state":"running"}` when another agent runs already, or `{"state":"failed","problem":…}`.
 */
saveMemory();
protectMemory();
process.umask(0o077);

// After that line the starter closes its end of the pipes.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const report = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function main(): Promise<void> {
  try {
    prepareNetwork(process.env);
    const given = takeGivenSockets(process.env);
    closeInheritedFiles(process.argv);
    const service = given ? 'systemd' : process.argv.includes('--launchd') ? 'launchd' : undefined;
    const running = await serve({ env: process.env, given, service });
    if (running === undefined) {
      report({ state: 'running' });
      // After a success launchd would start it again (service/launchd-plist.ts), and one agent is enough.
      exitNow(service === 'launchd' ? 1 : 0);
    } else {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => running.end());
      report({ state: 'ready' });
      void warmUp(process.env).catch(() => {});
      // Started for a login that is under way (startAgentAhead): the agent ends with that login, unless it has a session by then.
      if (process.argv.includes('--ahead')) {
        const over = () => running.agent.hasSession || running.end();
        process.stdin.on('error', over).on('end', over).resume();
      }
      await running.ended;
      // Nobody needs the connections that are still open.
      exitNow(0);
    }
  } catch (error) {
    report({ state: 'failed', problem: asProblem(error) });
    exitNow(1);
  }
}

void main();
