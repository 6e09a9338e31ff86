import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { Cluster } from '../../support/postgres-cluster.ts';
import type { ActivePerson } from './load.ts';
import { seed } from './seed.ts';
import { BenchedServer } from './server-process.ts';

export type Engine = 'sqlite' | 'postgres';

/** One database with people in it, and the servers on it. Whatever it starts and writes is gone when it is disposed of. */
export class World implements AsyncDisposable {
  readonly issuer: string;
  readonly servers: readonly BenchedServer[];
  readonly #folder: string;
  readonly #cluster: Cluster | undefined;

  private constructor(issuer: string, servers: readonly BenchedServer[], folder: string, cluster: Cluster | undefined) {
    this.issuer = issuer;
    this.servers = servers;
    this.#folder = folder;
    this.#cluster = cluster;
  }

  /**
   * @param active the people who will sign in; they are among the others
   * @param flags options of Node for the servers
   */
  static async make(
    what: { engine: Engine; people: number; instances: number },
    active: readonly ActivePerson[],
    signal: AbortSignal,
    flags: readonly string[] = [],
  ): Promise<World> {
    // Short, because PostgreSQL's socket is in it.
    const folder = mkdtempSync(join(realpathSync(tmpdir()), 'vb-'));
    const servers: BenchedServer[] = [];
    let cluster: Cluster | undefined;
    try {
      if (what.engine === 'postgres') {
        // Commits wait for the disk, as SQLite's do.
        cluster = await Cluster.make(join(folder, 'pg'), []);
        await cluster.start();
      }
      const url = cluster?.url('postgres') ?? `sqlite:${folder}/vouch.db`;
      const ports = await Promise.all(Array.from({ length: what.instances }, freePort));
      const issuer = `http://localhost:${ports[0]}`;
      const settings = {
        VOUCH_ISSUER: issuer,
        VOUCH_DATABASE_URL: url,
        VOUCH_MASTER_KEY: randomBytes(32).toString('base64'),
        VOUCH_DRAIN_SECONDS: '0',
      };
      await seed(settings, what.people, active);
      signal.throwIfAborted();
      for (const port of ports) servers.push(await BenchedServer.start(port, settings, signal, flags));
      return new World(issuer, servers, folder, cluster);
    } catch (error) {
      await new World('', servers, folder, cluster)[Symbol.asyncDispose]();
      throw error;
    }
  }

  get origins(): string[] {
    return this.servers.map(({ origin }) => origin);
  }

  get pids(): number[] {
    return this.servers.map(({ pid }) => pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // SIGTERM, so that a profile is written.
    await Promise.all(this.servers.map((server) => server.end('SIGTERM')));
    await this.#cluster?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
