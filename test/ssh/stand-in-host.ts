import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, linkSync, renameSync, unlinkSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from 'ssh2';
import type { HostSetup, RunningHost } from './host.ts';

/**
 * An SSH host as OpenSSH's sshd, and as strict: one user with one key, a real shell and real programs, pseudo terminals by script(1), and
 * forwarded sockets. It refuses passwords, other users and keys, variables but LANG and LC_*, subsystems, agent and X11 forwarding, and
 * forwarded ports. Compared with OpenSSH 9.2.
 */
export async function standInHost(setup: HostSetup): Promise<RunningHost> {
  const authorized = ssh2.utils.parseKey(setup.authorizedKey);
  if (authorized instanceof Error) throw authorized;
  const connections = new Set<Connection>();
  let logins = 0;

  const authenticate = (context: AuthContext) => {
    const isOurs =
      context.method === 'publickey' &&
      context.username === setup.user &&
      context.key.algo === authorized.type &&
      context.key.data.equals(authorized.getPublicSSH());
    if (!isOurs) return context.reject(['publickey']);
    // Without a signature the client only asks whether the key would do (RFC 4252, section 7).
    if (context.signature === undefined) return context.accept();
    if (authorized.verify(context.blob ?? '', context.signature, context.hashAlgo) !== true) return context.reject();
    logins += 1;
    context.accept();
  };

  const server = new ssh2.Server({ hostKeys: [setup.hostKey.private] }, (connection) => {
    connections.add(connection);
    const forwarded = new Map<string, NetServer>();
    connection.on('authentication', authenticate);
    connection.on('error', () => {});
    connection.on('session', (accept) => serveSession(accept(), setup));
    connection.on('request', (accept: unknown, reject: unknown, name: string, info: unknown) => {
      const { socketPath } = info as { socketPath?: string };
      const answer = (done: boolean) => ((done ? accept : reject) as (() => void) | undefined)?.();
      if (name === 'streamlocal-forward@openssh.com' && socketPath !== undefined && setup.allowStreamLocalForwarding) {
        forward(connection, socketPath).then(
          (listener) => {
            forwarded.set(socketPath, listener);
            answer(true);
          },
          () => answer(false),
        );
      } else if (name === 'cancel-streamlocal-forward@openssh.com' && forwarded.has(socketPath ?? '')) {
        leave(forwarded.get(socketPath ?? ''), socketPath ?? '');
        answer(true);
      } else answer(false);
    });
    connection.on('close', () => {
      connections.delete(connection);
      for (const [path, listener] of forwarded) leave(listener, path);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    // Its own `end` would tell the client.
    for (const connection of connections) (connection as unknown as { _sock: { destroy(): void } })._sock.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    logins: () => logins,
    cut,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

/** Listens on a path, with the mode of sshd's sockets (sshd_config(5), StreamLocalBindMask), unless something is there already. */
async function forward(connection: Connection, path: string): Promise<NetServer> {
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    connection.openssh_forwardOutStreamLocal(path, (error, channel) => {
      if (error) return void socket.destroy();
      channel.on('error', () => socket.destroy());
      channel.on('close', () => socket.end());
      // ssh2 would close the channel with its writing half, and lose the answer to a client that has closed its own.
      socket.pipe(channel, { end: false });
      socket.on('end', () => channel.eof());
      channel.on('end', () => channel.end());
      channel.pipe(socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return listener;
}

/** Stops listening. As with sshd, the socket's name stays; Node would remove it. */
function leave(listener: NetServer | undefined, path: string): void {
  const kept = `${path}.kept`;
  const isThere = existsSync(path);
  if (isThere) linkSync(path, kept);
  listener?.close();
  if (!isThere) return;
  if (existsSync(path)) unlinkSync(path);
  renameSync(kept, path);
}

function serveSession(session: Session, setup: HostSetup): void {
  const sent: Record<string, string> = {};
  let terminal: { term: string; rows: number; cols: number } | undefined;
  let child: ChildProcess | undefined;
  session.on('env', (accept, reject, { key, val }) => {
    // As Debian's AcceptEnv.
    if (!/^(LANG|LC_.*)$/.test(key)) return reject?.();
    sent[key] = val;
    accept?.();
  });
  session.on('pty', (accept, _, info) => {
    // The type has `term`, which older ones lack.
    terminal = { term: (info as { term?: string }).term ?? 'xterm', rows: info.rows, cols: info.cols };
    accept?.();
  });
  session.on('window-change', (accept) => accept?.());
  session.on('signal', (_accept, _reject, { name }) => void child?.kill(`SIG${name}` as NodeJS.Signals));
  for (const refused of ['x11', 'subsystem', 'auth-agent'] as const) {
    session.on(refused as 'x11', (_accept, reject) => reject?.());
  }
  const start = (accept: () => ServerChannel, command: string | undefined) => {
    child = run(accept(), command, { setup, sent, terminal });
  };
  session.on('exec', (accept, _, { command }) => start(accept, command));
  session.on('shell', (accept) => start(accept, undefined));
}

/** Runs a login shell, or a command in it, and tells the client how it ended. */
function run(
  channel: ServerChannel,
  command: string | undefined,
  {
    setup,
    sent,
    terminal,
  }: {
    setup: HostSetup;
    sent: Record<string, string>;
    terminal: { term: string; rows: number; cols: number } | undefined;
  },
): ChildProcess {
  const { home, user, port, env: more } = setup;
  const shell = more.SHELL ?? '/bin/sh';
  const env = {
    USER: user,
    LOGNAME: user,
    HOME: home,
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    SHELL: shell,
    SSH_CONNECTION: `127.0.0.1 0 127.0.0.1 ${port}`,
    ...(setup.forceCommand !== undefined && command !== undefined && { SSH_ORIGINAL_COMMAND: command }),
    ...sent,
    ...(terminal && { TERM: terminal.term }),
    ...more,
  };
  const actual = setup.forceCommand ?? command;
  const login = actual === undefined ? [shell, '-l'] : [shell, '-c', actual];
  const words = terminal
    ? ['script', '--quiet', '--return', '--flush', '--command', onTerminalOf(terminal, login), '/dev/null']
    : login;
  const [file = '', ...args] = words;
  // script(1) runs its command with $SHELL.
  const child = spawn(file, args, { env: terminal ? { ...env, SHELL: '/bin/sh' } : env, cwd: home, stdio: 'pipe' });
  channel.pipe(child.stdin);
  child.stdin.on('error', () => {});
  channel.on('error', () => {});
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  // When the client is gone, sshd closes the pipes; a terminal hangs up.
  channel.on('close', () => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    if (terminal) child.kill('SIGHUP');
  });
  child.once('error', () => channel.exit(127));
  child.once('close', (code, signal) => {
    if (signal) channel.exit(signal.slice(3), false, '');
    else channel.exit(code ?? 255);
    channel.end();
  });
  return child;
}

function onTerminalOf({ rows, cols }: { rows: number; cols: number }, words: readonly string[]): string {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return `stty rows ${rows} cols ${cols}; export SHELL=${quoted[0]}; exec ${quoted.join(' ')}`;
}
