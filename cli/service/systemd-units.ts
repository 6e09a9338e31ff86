import { harmfulVariables } from '../agent/client/agent-environment.ts';
import { checkText } from './unit-text.ts';
import { marked, markPlace } from './written-by-us.ts';

/** The names of the units. systemd always has the socket; the service runs from the first request to the session's end. */
export const socketUnit = 'vouch-agent.socket';
export const serviceUnit = 'vouch-agent.service';

export interface UnitOptions {
  /** Absolute paths of Node and of the agent's program. */
  node: string;
  agent: string;
  environment: Record<string, string>;
  /** Whether systemd can protect and hide files (namespaceOptions). */
  namespaces: boolean;
  /** Whether the agent needs nothing in the shared /tmp. */
  privateTmp: boolean;
}

/** The sockets (systemd.socket(5)), in the order in which agent/sockets/systemd-sockets.ts takes them. */
export function socketText(): string {
  return marked(`# ${markPlace}; \`vouch agent uninstall\` removes it.
# To change something, run \`systemctl --user edit ${socketUnit}\`.

[Unit]
Description=Sockets of the vouch agent

[Socket]
ListenStream=%t/vouch/agent.sock
ListenStream=%t/vouch/git.sock
SocketMode=0600
# Sticky, as Git's helper requires.
DirectoryMode=1700
# Git may start hundreds of processes at once, and all of them may wait.
Backlog=4096
# A leftover socket would look like an agent that was killed.
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`);
}

/**
 * The service (systemd.service(5), systemd.exec(5)). It leaves out CapabilityBoundingSet= and the options that imply it
 * (ProtectKernelModules=, ProtectClock=, …). With them a user's unit does not start on some systems, and they would take nothing
 * from our process, which has no capability and cannot get one.
 *
 * @throws Problem `unit-text` when a path or a value contains a control character
 */
export function serviceText({ node, agent, environment, namespaces, privateTmp }: UnitOptions): string {
  const variables = Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`);
  return marked(`# ${markPlace}; \`vouch agent uninstall\` removes it.
# To change something, run \`systemctl --user edit ${serviceUnit}\`.

[Unit]
Description=Vouch agent: your session, in memory only
Requires=${socketUnit}
# The agent ends at each logout, and the next request starts it again. If it cannot start, systemd soon gives up the sockets, and
# \`vouch login\` starts an agent by itself.
StartLimitIntervalSec=10
StartLimitBurst=10

[Service]
Type=exec
# The colon keeps dollars from being variables. Without --disable-sigusr1 a signal would open Node's inspector.
ExecStart=${commandLine(node, '--disable-sigusr1', agent)}
WorkingDirectory=/
${variables.join('')}# With these, Node would print what it sends into the journal, or accept any certificate.
UnsetEnvironment=${harmfulVariables.join(' ')}
TimeoutStopSec=5

# Its memory contains the secrets: a crash must leave no core file, and nothing may be swapped to the disk.
LimitCORE=0
MemorySwapMax=0
MemoryMax=512M
TasksMax=64
KeyringMode=private
UMask=0077

NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# Node compiles JavaScript into memory that it then executes.
MemoryDenyWriteExecute=no
${namespaces ? `\n${namespaceOptions(privateTmp).join('\n')}\n# For agent.pid.\nReadWritePaths=-%t/vouch\n` : ''}`);
}

/** Options that protect files, and hide what the agent does not need. A user's systemd needs the first for the others. */
export function namespaceOptions(privateTmp: boolean): string[] {
  return [
    'PrivateUsers=yes',
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    `PrivateTmp=${privateTmp ? 'yes' : 'no'}`,
    'PrivateDevices=yes',
  ];
}

function commandLine(program: string, ...args: string[]): string {
  // systemd accepts no quote and no backslash in a program's path. A shell does, and then replaces itself with the program.
  const words = /["'\\]/.test(program) ? ['/bin/sh', '-c', 'exec "$0" "$@"', program, ...args] : [program, ...args];
  return words.map((word, index) => quoted(index === 0 ? `:${word}` : word)).join(' ');
}

/** A word of a unit, in quotes: backslashes, quotes (systemd.syntax(7)) and percent signs (systemd.unit(5)) are escaped. */
function quoted(word: string): string {
  checkText(word, 'the systemd unit');
  return `"${word.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`;
}

/** The programs that a service's text names: Node, the agent, perhaps a shell. */
export function programsOf(text: string): string[] {
  const line = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? '';
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)];
  return words
    .map(([, word = '']) => word.replace(/^:/, '').replace(/\\(.)/g, '$1').replaceAll('%%', '%'))
    .filter((word) => word.startsWith('/'));
}
