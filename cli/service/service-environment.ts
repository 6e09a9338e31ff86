import { agentSettings, harmlessNodeOptions } from '../agent/client/agent-environment.ts';
import { Problem } from '../problem/problem.ts';

/** Variables whose value is the path of a file or folder that the agent reads. */
export const pathVariables: readonly string[] = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'AWS_CA_BUNDLE',
];

/**
 * The part of the shell's environment that an agent started by the shell would get. A service manager starts programs with its own
 * environment, so the service's file must set these variables. That file is on the disk, so no variable may contain a secret.
 *
 * @throws Problem `secret-variable` when an address contains a user name or password
 */
export function serviceEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of agentSettings) {
    const value = env[name];
    if (!value) continue;
    if (/PROXY|ENDPOINT_URL/i.test(name) && value.includes('@')) throw secret(name);
    kept[name] = value;
  }
  // Set even when empty: the service manager's own NODE_OPTIONS must not open Node's inspector.
  return { ...kept, NODE_OPTIONS: harmlessNodeOptions(env) };
}

function secret(name: string): Problem {
  return new Problem({
    kind: 'secret-variable',
    what: `${name} contains a user name or password, and a service's environment is a file on the disk.`,
    why: 'Vouch writes no secret to the disk.',
    fix: `Run \`env -u ${name} vouch agent install\` if Vouch needs no such proxy, or use Vouch without a service.`,
  });
}
