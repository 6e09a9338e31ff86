import { agentSettings, harmlessNodeOptions } from '../agent/node-environment.ts';
import { Problem } from '../problem/problem.ts';

/** Variables whose value is the path of something that is read. */
export const pathVariables: readonly string[] = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'AWS_CA_BUNDLE',
];

/**
 * What the service's agent gets of the shell's environment, as an agent that the shell starts would have it: a manager of
 * services starts with an environment of its own. It is written to the disk, so there may be no secret in it.
 *
 * @throws Problem `secret-variable` when an address holds a user's name or password
 */
export function serviceEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of agentSettings) {
    const value = env[name];
    if (!value) continue;
    if (/PROXY|ENDPOINT_URL/i.test(name) && value.includes('@')) throw secret(name);
    kept[name] = value;
  }
  // Also when it is empty: whatever the manager of services has in its environment must not open Node's inspector.
  return { ...kept, NODE_OPTIONS: harmlessNodeOptions(env) };
}

function secret(name: string): Problem {
  return new Problem({
    kind: 'secret-variable',
    what: `${name} holds a user's name or password, and a service's environment is a file on the disk.`,
    why: 'Vouch writes no secret to the disk.',
    fix: `Run \`env -u ${name} vouch agent install\` if Vouch needs no such proxy, or use Vouch without a service.`,
  });
}
