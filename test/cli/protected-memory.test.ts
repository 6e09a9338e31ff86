import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { agentStatus } from '../../cli/agent/client/requests.ts';
import { nodeOptions } from '../../cli/programs.ts';
import { installPrograms } from '../sandbox/programs.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { agentMachine, compilingWithoutEnd } from './agent/support.ts';
import { gitRequest, type Machine, run } from './support.ts';

/** No debugger and no core dump shows an installed program's memory, whatever the program is started with. */

let bin: string;
let dist: string;
beforeAll(() => {
  const folder = temporaryFolder();
  bin = installPrograms(folder);
  dist = join(folder, 'package/dist');
});

/** The most dangerous variables that a person's shell may have. */
const evil = {
  NODE_OPTIONS: '"--inspect=127.0.0.1:0" --heap-prof --use-system-ca',
  NODE_DEBUG: 'http,net',
};

function installed(): Machine {
  const the = agentMachine();
  the.env.PATH = [bin, the.env.PATH].join(delimiter);
  return the;
}

/** The TCP ports on which a process listens, from the system. */
function portsOf(pid: number): string[] {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
  return ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.includes(inode ?? ''))
      .map(([, address = '']) => String(Number.parseInt(address.split(':')[1] ?? '', 16))),
  );
}

/** Sends the signal, and settles when the system has delivered it, or when the process blocks it. */
async function signal(pid: number): Promise<void> {
  process.kill(pid, 'SIGUSR1');
  const bit = 1n << 9n;
  const isIn = (sets: RegExp) => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return [...status.matchAll(sets)].some(([, set]) => (BigInt(`0x${set}`) & bit) !== 0n);
  };
  while (isIn(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm) && !isIn(/^SigBlk:\s*([0-9a-f]+)$/gm)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What can be seen of a process: its core file limit, and what its dump would contain. */
function dumpsOf(pid: number): [limit: string | undefined, filter: string] {
  const limit = /^Max core file size +(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1];
  return [limit, readFileSync(`/proc/${pid}/coredump_filter`, 'latin1').trim()];
}

/** Node's command line. A signal before our first line must not open the inspector either. */
const optionsOf = (pid: number) =>
  readFileSync(`/proc/${pid}/cmdline`, 'latin1')
    .split('\0')
    .filter((word) => nodeOptions.some((option) => option === word));

/** Starts a program from a shell that allows core files of any size that the machine allows. */
function start(args: string[], env: NodeJS.ProcessEnv, input = ''): ChildProcess & { said: () => string } {
  const shell = ['-c', 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', 'sh', ...args];
  const child = spawn('/bin/sh', shell, { env, stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return Object.assign(child, { said: () => said });
}

/** A server that accepts connections and never answers, until `hangUp` closes them. */
async function silent(listen: (server: Server) => void) {
  const sockets: { destroy(): void }[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  const asked = once(server, 'connection');
  const listening = once(server, 'listening');
  listen(server);
  await listening;
  const hangUp = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(hangUp);
  server.on('connection', () => !server.listening && hangUp());
  return { asked, hangUp };
}

/** Waits for a program's end. @returns its exit code */
async function untilItEnds(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

const programs = [
  [
    'vouch login',
    (port: number) => [join(bin, 'vouch'), 'login', '--no-browser', '--server', `http://localhost:${port}`],
  ],
  [
    'vouch login, by its file',
    (port: number) => {
      const file = join(dist, 'cli/vouch/main.cjs');
      return [process.execPath, file, 'login', '--no-browser', '--server', `http://localhost:${port}`];
    },
  ],
] as const;

describe.each(programs)('%s', (_, command) => {
  test('opens no inspector at SIGUSR1, and leaves no core file', async () => {
    const the = installed();
    const port = await freePort();
    const { asked, hangUp } = await silent((server) => server.listen(port, 'localhost'));
    const child = start(command(port), the.env);
    await asked;
    const pid = child.pid ?? 0;
    await signal(pid);
    expect(dumpsOf(pid)[1]).toBe('00000000');
    hangUp();
    expect(await untilItEnds(child)).toBe(4);
    expect(child.said()).not.toMatch(/Debugger/i);
  });
});

describe('what is installed', () => {
  test('vouch leaves no core file, and ignores dangerous variables', async () => {
    const the = installed();
    const port = await freePort();
    const { asked, hangUp } = await silent((server) => server.listen(port, 'localhost'));
    const url = `http://localhost:${port}`;
    const coverage = join(the.folder, 'coverage');
    const env = { ...the.env, ...evil, NODE_V8_COVERAGE: coverage };
    const child = start([join(bin, 'vouch'), 'login', '--no-browser', '--server', url], env);
    await asked;
    const pid = child.pid ?? 0;
    expect(dumpsOf(pid)).toEqual(['0', '00000000']);
    expect(optionsOf(pid)).toEqual(nodeOptions);
    // The only open port is the one that the browser would come back to.
    expect(portsOf(pid).length).toBeLessThanOrEqual(1);
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).toContain('NODE_OPTIONS= --use-system-ca\0');
    hangUp();
    await untilItEnds(child);
    expect(child.said()).not.toMatch(/Debugger|HTTP \d|NET \d/i);
    expect(readdirSync(the.folder)).not.toContain('coverage');
  });

  test('git-credential-vouch, while Node answers', async () => {
    const the = installed();
    const sockets = dirname(the.agentSocket);
    mkdirSync(sockets, { mode: 0o700 });
    const { asked, hangUp } = await silent((server) => server.listen(the.agentSocket));
    const child = start([join(bin, 'git-credential-vouch'), 'get'], { ...the.env, ...evil }, gitRequest);
    await asked;
    // The script waits for Node.
    const script = child.pid ?? 0;
    const pid = Number(readFileSync(`/proc/${script}/task/${script}/children`, 'latin1'));
    await signal(pid);
    expect(dumpsOf(pid)).toEqual(['0', '00000000']);
    expect(dumpsOf(script)[0]).toBe('0');
    expect(optionsOf(pid)).toEqual(nodeOptions);
    expect(portsOf(pid)).toEqual([]);
    hangUp();
    expect(await untilItEnds(child)).toBe(0);
    expect(child.said()).toMatch(/^quit=1$/m);
    expect(child.said()).not.toMatch(/Debugger|HTTP \d|NET \d/i);
  });

  test('git-remote-codecommit, before it becomes Git', async () => {
    const the = installed();
    // The program asks this Git for the configuration, and later replaces itself with it. This Git sends the signal.
    const git = join(the.folder, 'bin/git');
    const dumps = join(the.folder, 'dumps');
    writeFileSync(
      git,
      `#!/bin/sh\ncase $* in *remote-https*) echo became Git; exit;; esac
kill -USR1 $PPID\ngrep core /proc/$PPID/limits >${dumps}; cat /proc/$PPID/coredump_filter >>${dumps}\nexit 1\n`,
    );
    chmodSync(git, 0o755);
    the.env.PATH = [dirname(git), the.env.PATH].join(delimiter);
    const { stdout, stderr } = await run(join(bin, 'git-remote-codecommit'), ['origin', 'us-east-1://demo'], {
      ...the.env,
      ...evil,
    });
    expect([stdout, stderr]).toEqual(['became Git\n', '']);
    expect(readFileSync(dumps, 'utf8')).toMatch(/^Max core file size +0 .*\n00000000\n$/s);
  });

  test('vouch-server, by its name and by its file', async () => {
    for (const named of [true, false]) {
      const the = installed();
      const byFile = [process.execPath, ...compilingWithoutEnd(the.folder), join(dist, 'server/vouch-server.js')];
      const command = named ? [join(bin, 'vouch-server')] : byFile;
      const port = await freePort();
      const env = {
        ...the.env,
        VOUCH_ISSUER: `http://localhost:${port}`,
        VOUCH_LISTEN: `127.0.0.1:${port}`,
        VOUCH_DATABASE_URL: `sqlite:${join(the.folder, 'vouch.db')}`,
      };
      const child = start([...command, 'serve'], env);
      while (!child.said().includes('"msg":"listening"')) await once(child.stdout as NodeJS.ReadableStream, 'data');
      const pid = child.pid ?? 0;
      await signal(pid);
      for (let time = 0; time < 3; time++) {
        expect((await fetch(`http://localhost:${port}/healthz`)).status).toBe(200);
      }
      expect(new Set(portsOf(pid))).toEqual(new Set([String(port)]));
      expect(dumpsOf(pid)[1]).toBe('00000000');
      if (named) expect(optionsOf(pid)).toEqual(nodeOptions);
      expect(child.said()).not.toMatch(/Debugger/i);
      child.kill('SIGTERM');
      expect(await untilItEnds(child)).toBe(0);
    }
  });

  test('the agent', async () => {
    const the = installed();
    expect(await run(join(bin, 'vouch'), ['agent', 'start'], the.env)).toMatchObject({ code: 0 });
    const { pid } = await agentStatus(the.env);
    await signal(pid);
    expect((await agentStatus(the.env)).pid).toBe(pid);
    expect(portsOf(pid)).toEqual([]);
  });

  test('says in words that Node is too old', async () => {
    const the = installed();
    const old = join(the.folder, 'bin/node');
    writeFileSync(
      old,
      '#!/bin/sh\ncase $1 in --version) echo v18.19.1;; *) echo "node: bad option: $1" >&2; exit 9;; esac\n',
    );
    chmodSync(old, 0o755);
    const env = { ...the.env, PATH: [dirname(old), process.env.PATH].join(delimiter) };
    const commands = ['login', 'enroll', 'setup', 'doctor'].map((command) => ['vouch', command]);
    for (const [program = '', ...args] of [...commands, ['vouch-server', 'check'], ['vouch-server']]) {
      expect(await run(join(bin, program), args, env)).toEqual({
        code: 1,
        stdout: '',
        stderr:
          'vouch: Vouch needs Node 24 or newer, and this is v18.19.1.\n  Install a newer Node, or put it first on your PATH.\n',
      });
    }
  });
});
