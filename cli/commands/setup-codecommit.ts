import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { checkGit, globalValues, setGlobalValues } from '../git/config.ts';
import type { Io } from '../io.ts';
import { printProblem } from '../problem.ts';

/** A `*` stands for one whole label of the host, here the region. */
const section = 'credential.https://git-codecommit.*.amazonaws.com';

/**
 * The empty helper clears those that were named before: a store of passwords would keep, and later replay, one that has
 * expired. Without the path, nothing can be signed.
 */
const wanted = { helper: ['', 'vouch'], useHttpPath: ['true'] };

/** `vouch setup codecommit`: makes Git ask Vouch for CodeCommit's credentials, in the user's own Git configuration. */
export async function setupCodeCommit(_options: object, io: Io): Promise<number> {
  try {
    const version = await checkGit(io.env);
    const changed: string[] = [];
    for (const [name, values] of Object.entries(wanted)) {
      const found = await globalValues(section, name, io.env);
      if (JSON.stringify(found) === JSON.stringify(values)) continue;
      await setGlobalValues(section, name, values, io.env);
      changed.push(...values.map((value) => `  ${section}.${name} = ${value}\n`));
      const foreign = found.filter((value) => value !== '' && !values.includes(value));
      if (foreign.length > 0) changed.push(`  (was ${foreign.join(', ')})\n`);
    }
    if (changed.length === 0) {
      io.stdout.write('Git asks Vouch for CodeCommit already, nothing to change\n');
    } else {
      io.stdout.write(`Git ${version} now asks Vouch for CodeCommit. Your Git config has:\n${changed.join('')}`);
    }
    if (!isOnPath('git-credential-vouch', io.env)) {
      io.stderr.write(
        'vouch: git-credential-vouch is not on your PATH, so Git will not find it.\n' +
          '  Add the folder of the `vouch` command to your PATH.\n',
      );
    }
    return 0;
  } catch (error) {
    return printProblem(io.stderr, error);
  }
}

function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      const file = join(folder || '.', program);
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}
