import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { sticky } from '../files/safe-path.ts';
import { prepareRuntimeFolder } from '../runtime-folder/prepare-folder.ts';
import { agentName } from '../runtime-folder/runtime-folder.ts';
import { type AwsSettings, writeAwsFiles } from './aws-files.ts';
import { listenInAgentsPlace } from './in-agents-place.ts';

/** The folders and files that a program gets in place of those that lead to the agent. */
export interface BoxFolder {
  /** Its XDG_RUNTIME_DIR. */
  runtime: string;
  /** What was lent, under a name in that folder. */
  gitSocket: string;
  /** Its AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE. */
  aws: { config: string; credentials: string };
  /** Removes the folder. */
  remove(): void;
}

/**
 * Makes a runtime folder for a program with a lend. There `git-credential-vouch` finds the lent socket, and `vouch` something in the agent's
 * place that refuses all but Git's requests. So neither looks in the other places where an agent may be (runtimeFolders).
 *
 * It is not in the lend's own folder, which is gone when the lend's time is over: a program that goes on would then find the agent.
 *
 * @param lend what is lent; `why` says that to somebody who asks for more
 * @throws Problem as prepareRuntimeFolder
 */
export async function makeBoxFolder(
  lend: { gitSocket: string; why: string },
  aws: AwsSettings,
  env: NodeJS.ProcessEnv,
): Promise<BoxFolder> {
  const runtime = mkdtempSync(join(prepareRuntimeFolder(env), 'box-'));
  const remove = () => rmSync(runtime, { recursive: true, force: true });
  try {
    const folder = join(runtime, 'vouch');
    mkdirSync(folder, { mode: 0o700 });
    // As the agent's own folder, which Git's helper insists on.
    chmodSync(folder, 0o700 | sticky);
    const gitSocket = join(folder, 'git.sock');
    addName(lend.gitSocket, gitSocket);
    const inPlace = await listenInAgentsPlace(join(folder, agentName), lend);
    return {
      runtime,
      gitSocket,
      aws: writeAwsFiles(runtime, aws),
      remove: () => {
        inPlace.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Gives a socket another name. With a second name of its own, not a link, a sandbox needs to show one folder only. */
function addName(socket: string, name: string): void {
  try {
    linkSync(socket, name);
  } catch {
    // macOS has no hard links to sockets.
    symlinkSync(socket, name);
  }
}
