import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { Problem } from '../../problem/problem.ts';
import { checkSocketPath } from '../../runtime-folder/check-socket.ts';
import { backlog } from '../../runtime-folder/owned-socket.ts';

/** The folder of a lend: `lends/<name>` in the runtime folder, for its socket, and for sockets of the command that opened it. */
export class LendFolder {
  readonly path: string;
  readonly gitSocket: string;

  /**
   * @param runtimeFolder the agent's, which was checked
   * @throws Problem `socket-path`
   */
  constructor(runtimeFolder: string, name: string) {
    this.path = join(parentOf(runtimeFolder), name);
    this.gitSocket = join(this.path, 'git.sock');
    checkSocketPath(this.gitSocket);
  }

  /**
   * Makes the folder, and listens on its socket. Only our user can enter it, and so nobody connects before the socket's mode is set.
   *
   * @throws Problem `folder`
   */
  async listen(server: Server): Promise<void> {
    try {
      mkdirSync(join(this.path, '..'), { recursive: true, mode: 0o700 });
      // A leftover of ours, since no lend has the name.
      rmSync(this.path, { recursive: true, force: true });
      mkdirSync(this.path, { mode: 0o700 });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.once('close', () => reject(new Error('It was closed before it listened.')));
        server.listen({ path: this.gitSocket, backlog }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      chmodSync(this.gitSocket, 0o600);
    } catch (error) {
      this.remove();
      throw new Problem(
        {
          kind: 'folder',
          what: `No socket can be made in ${this.path}`,
          why: (error as Error).message,
          fix: 'Make room there, or set XDG_RUNTIME_DIR to another folder of yours, in your shell profile.',
        },
        { cause: error },
      );
    }
  }

  remove(): void {
    removeIfPossible(this.gitSocket);
    removeIfPossible(this.path);
  }
}

/** Removes what a killed agent has left. To be called by the agent that has the runtime folder's names. */
export function sweepLends(runtimeFolder: string): void {
  const parent = parentOf(runtimeFolder);
  const found = lstatSync(parent, { throwIfNoEntry: false });
  if (found === undefined) return;
  // What is no folder goes itself: a link must not lead the removal elsewhere.
  if (!found.isDirectory()) rmSync(parent, { force: true });
  else for (const name of readdirSync(parent)) removeIfPossible(join(parent, name));
}

/** What somebody else has put into it (root in a container that has the folder mounted) may stay. It must not end the agent. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {}
}

const parentOf = (runtimeFolder: string) => join(runtimeFolder, 'lends');
