/**
 * Replaces this process by a program, so that no Node waits in memory while Git transfers. Where Node cannot do that, the
 * program runs as a child: it has our standard streams, gets our signals, and we end as it does.
 *
 * Nothing may have touched process.stdin before: Node would have read ahead, and the program would miss that.
 *
 * @param file the program's file
 */
export async function become(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  // Experimental in Node 24. Node would print its warning later, and there is no later.
  process.execve?.(file, [file, ...args], env);

  const [{ spawn }, { constants }] = await Promise.all([import('node:child_process'), import('node:os')]);
  // Before the child runs: a signal that came in between would end us, and not the child.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const child = spawn(file, args, { env, stdio: 'inherit' });
  child.once('error', (error) => {
    process.stderr.write(`vouch: ${file} could not be started: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal ?? 'SIGTERM'];
  });
}
