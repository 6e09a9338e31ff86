import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lend } from '../../agent/protocol/lends.ts';
import { shellWord } from '../../aws/config/command-line.ts';
import { chooseEngine } from '../../box/choose-engine.ts';
import { containerArguments, type Engine, inContainer } from '../../box/container.ts';
import { configText } from '../../git/config-text.ts';
import { gitSettings } from '../../lend/git-settings.ts';
import { openLastingLend, openLend } from '../../lend/open-lend.ts';
import type { LendOptions } from '../../lend/options.ts';
import { printNote } from '../../problem/print.ts';
import { Problem } from '../../problem/problem.ts';
import type { Io } from '../../terminal/io.ts';
import { runProgram } from '../../terminal/run-program.ts';
import { sayEnd, sayLent } from '../lend-notes.ts';

export interface LendDockerOptions extends LendOptions {
  /** By default the first on the PATH. */
  engine?: Engine;
  /** Prints the command, and runs nothing. */
  print?: boolean;
  /** Does not say what is lent. */
  quiet?: boolean;
}

/** With this, docker and podman say that they themselves failed (docker-run(1), "Exit status"). */
const engineFailed = 125;

/**
 * `vouch lend docker`: runs a container whose Git finds what is lent. The lend ends with the container, and with us. With `--print` it
 * prints the command instead, and the lend lasts until its time is over.
 *
 * @param rest options of the engine, the image, and the command in it
 * @returns the engine's exit code
 */
export async function lendDocker(rest: string[], options: LendDockerOptions, io: Io): Promise<number> {
  if (options.aws) throw noAws();
  const engine = chooseEngine(options.engine, io.env);
  const terminal = process.stdin.isTTY === true && io.stdout.columns !== undefined;
  const command = (lend: Lend) => [engine, ...containerArguments(openTo(lend), terminal, rest)] as const;
  if (options.print) {
    const lend = await openLastingLend(options, io);
    io.stdout.write(`${command(lend).map(shellWord).join(' ')}\n`);
    if (!options.quiet) sayLent('the container', lend, io);
    return 0;
  }
  const { lend, ended, end } = await openLend(options, io);
  try {
    if (!options.quiet) sayLent('the container', lend, io);
    const code = await runProgram([...command(lend)], io.env);
    if (code === engineFailed) {
      printNote(io.stderr, {
        what: `${engine} itself failed, and says why above.`,
        fix: 'If the socket is the reason: an engine in a virtual machine cannot see it. `vouch lend ssh` reaches into that machine.',
      });
    }
    return code;
  } finally {
    const early = await Promise.race([ended, undefined]);
    const { awsUntil } = await end();
    if (!options.quiet) sayEnd('the container', lend, { early, awsUntil }, io);
  }
}

/**
 * Opens a lend to whatever user a container has: few have ours. What is mounted are the socket and the file by themselves; on this
 * machine the folder keeps all others out.
 */
function openTo(lend: Lend): { gitSocket: string; gitConfig: string } {
  const gitConfig = join(lend.folder, 'gitconfig');
  writeFileSync(gitConfig, configText(gitSettings(lend, inContainer.gitSocket)));
  chmodSync(gitConfig, 0o644);
  chmodSync(lend.gitSocket, 0o666);
  return { gitSocket: lend.gitSocket, gitConfig };
}

function noAws(): Problem {
  return new Problem({
    kind: 'usage',
    what: '--aws does not reach into a container.',
    why: 'Its endpoint is on 127.0.0.1 of this machine, where a container has another, and the engine would write its token to the disk.',
    fix: 'Leave it out; `vouch lend exec --aws` is for tools of AWS on this machine.',
  });
}
