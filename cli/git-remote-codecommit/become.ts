/**
 * Replaces this process with a program, so that no Node waits in memory while Git transfers. If Node cannot do that, the program runs
 * as a child: it has our standard streams and gets our signals, and we exit with its exit code.
 *
 * Nothing may have used process.stdin before: Node would have read ahead, and the program would miss that input.
 *
 * @param file the program's file
 */
export async function become(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  // Experimental in Node 24. Node's warning is never printed: it would come later, when this process has been replaced.
  process.execve?.(file, [file, ...args], env);

  const [{ spawn }, { constants }] = await Promise.all([import('node:child_process'), import('node:os')]);
  // Before the child runs: otherwise a signal in between would end us, but not the child.
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
