import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { exportJWK } from 'jose';
import { agentStatus, putSession } from '../../cli/agent/client/requests.ts';
import { startAgent } from '../../cli/agent/client/start.ts';
import { agentSocket, gitSocket } from '../../cli/runtime-folder/runtime-folder.ts';
import { trustIssuer } from '../aws/fixtures.ts';
import { type LocalAws, startLocalAws } from '../aws/start.ts';
import { ServerProcess, vouchServer } from '../server/program.ts';
import { SoftKey } from '../server/soft-key.ts';
import { Enrolment, jsonOf, signIn } from '../server/support.ts';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { freePort } from '../support/free-port.ts';
import { Link } from './network.ts';

const email = 'alice@example.com';

/** A role and the profile that names it. */
export interface WorldRole {
  profile: string;
  arn: string;
}

/**
 * A developer's machine with a real agent, the real server on its SQLite file, the local AWS, and breakable network links to
 * both.
 */
export interface World {
  env: Record<string, string>;
  gitSocket: string;
  agentSocket: string;
  aws: LocalAws;
  roles: readonly WorldRole[];
  server: {
    kill(): Promise<void>;
    start(): Promise<void>;
    link: Link;
    /** Its SQLite file. */
    database: string;
  };
  stsLink: Link;
  /**
   * Signs in with the key, and hands the session to the agent; starts an agent if none runs.
   *
   * @param lasts how many milliseconds the agent believes that the session lasts; by default as long as it does
   * @returns when the session ends, in milliseconds since 1970
   */
  logIn(lasts?: number): Promise<number>;
  /** The agent's process id; fails when none runs. */
  agentPid(): Promise<number>;
  /** Kills the agent, as a power cut would. */
  killAgent(): Promise<void>;
  /** How many files and sockets the agent has open; undefined on systems other than Linux. */
  agentFiles(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** @param roles how many roles to create */
export async function startWorld(roles: number): Promise<World> {
  // Short, because a socket's path may have only about 100 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'v-'));
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })];
  const close = async () => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    return await start(folder, roles, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  folder: string,
  roleCount: number,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<World> {
  const aws = await startLocalAws({ folder: join(folder, 'aws') });
  closers.unshift(() => aws.close());
  const stsLink = await Link.open(Number(new URL(aws.stsUrl).port));
  closers.unshift(() => stsLink.close());
  const port = await freePort();
  const serverLink = await Link.open(port);
  closers.unshift(() => serverLink.close());

  const issuer = `http://localhost:${serverLink.port}`;
  const database = join(folder, 'vouch.db');
  const settings = {
    VOUCH_ISSUER: issuer,
    VOUCH_LISTEN: `127.0.0.1:${port}`,
    VOUCH_DATABASE_URL: `sqlite:${database}`,
  };
  let running = await startServer(settings);
  closers.unshift(() => running.end('SIGKILL'));

  const { stdout } = await vouchServer(['invite', email, '--json'], settings);
  const key = new SoftKey(issuer);
  const enrolment = await Enrolment.open(issuer, (JSON.parse(stdout) as { code: string }).code);
  await jsonOf(await enrolment.register(key));

  const env = cleanEnvironment({
    // The helper starts this same Node.
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: join(folder, 'home'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${stsLink.port}`,
    AWS_EC2_METADATA_DISABLED: 'true',
    GIT_CONFIG_NOSYSTEM: '1',
  });
  for (const path of [join(folder, 'home/.aws'), join(folder, 'run')])
    mkdirSync(path, { recursive: true, mode: 0o700 });
  const names = Array.from({ length: roleCount }, (_, index) => `Role${index + 1}`);
  const worldRoles = names.map((name) => {
    trustIssuer(aws, { url: issuer }, { name });
    return { profile: name.toLowerCase(), arn: aws.account().role(name)?.arn ?? '' };
  });
  writeFileSync(
    join(folder, 'home/.aws/config'),
    worldRoles
      .map(({ profile, arn }) => `[profile ${profile}]\ncredential_process = vouch credential aws --role ${arn}\n`)
      .join(''),
  );

  const world: World = {
    env,
    gitSocket: gitSocket(env),
    agentSocket: agentSocket(env),
    aws,
    roles: worldRoles,
    server: {
      link: serverLink,
      database,
      kill: () => running.end('SIGKILL'),
      start: async () => {
        running = await startServer(settings);
      },
    },
    stsLink,
    async logIn(lasts) {
      await startAgent(env);
      const { client, access_token, expires_in } = await signIn(issuer, key);
      const dpopKey = await exportJWK(client.key.privateKey);
      const end = Date.now() + (lasts ?? expires_in * 1000);
      const session = { issuer, accessToken: access_token, dpopKey, email, key: { name: 'Work key', model: null } };
      await putSession({ ...session, expiresAt: new Date(end).toISOString() }, env);
      return end;
    },
    agentPid: async () => (await agentStatus(env)).pid,
    async killAgent() {
      const pid = await world.agentPid();
      process.kill(pid, 'SIGKILL');
      while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async agentFiles() {
      if (process.platform !== 'linux') return undefined;
      return readdirSync(`/proc/${await world.agentPid()}/fd`).length;
    },
    close,
  };
  closers.unshift(() => world.killAgent().catch(() => {}));
  return world;
}

/** Tries again if the port is taken for a moment: the system uses such ports for outgoing connections. */
async function startServer(settings: Record<string, string>): Promise<ServerProcess> {
  for (let tries = 0; ; tries++) {
    try {
      return await ServerProcess.start(settings);
    } catch (error) {
      if (tries === 20 || !(error as Error).message.includes('EADDRINUSE')) throw error;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
