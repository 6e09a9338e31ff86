import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { shellWord } from '../../aws/config/command-line.ts';

/**
 * A sentence on how the browser gets back to this program, for a person whose browser may be on another machine.
 *
 * @param port the port of 127.0.0.1 that the browser comes back to
 * @param mayPaste whether the server also lets the person carry the code
 * @param container whether we run in a container
 */
export function wayBack(port: number, env: NodeJS.ProcessEnv, mayPaste = false, container = isInContainer()): string {
  const here = `The browser comes back to 127.0.0.1:${port} on this machine.`;
  const otherwise = mayPaste ? '\nIf it cannot come back: Ctrl-C, then `vouch login --paste`' : '';
  const tunnel = sshTunnel(port, env);
  if (tunnel !== undefined) return `${here} If it runs where you sit, first run this there:\n  ${tunnel}${otherwise}`;
  const inContainer =
    "\nThis is a container: a browser outside gets there only with the engine's\n--network host. Or sign in outside, and lend to it: `vouch lend docker`.";
  return `${here}${container ? inContainer : ''}${otherwise}`;
}

/** Whether an engine has marked this system as a container: docker's file, or podman's. */
function isInContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}

/**
 * The command that forwards a port of the person's own machine to the same port here (ssh(1), -L).
 *
 * @returns undefined outside of an SSH session
 */
export function sshTunnel(port: number, env: NodeJS.ProcessEnv): string | undefined {
  if (!env.SSH_CONNECTION) return undefined;
  // The client's address and port, then ours from the client's side (ssh(1), ENVIRONMENT).
  const [, , address = '', sshPort = ''] = env.SSH_CONNECTION.split(' ');
  const host = isIP(address) ? address : hostname();
  const option = /^\d{1,5}$/.test(sshPort) && sshPort !== '22' ? `-p ${sshPort} ` : '';
  return `ssh -L ${port}:127.0.0.1:${port} ${option}${shellWord(`${userName(env)}@${host}`)}`;
}

function userName({ USER }: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    // The system has no name for this user.
    return USER || 'YOU';
  }
}
