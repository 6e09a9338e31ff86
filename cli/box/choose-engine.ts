import { findOnPath } from '../files/on-path.ts';
import { Problem } from '../problem/problem.ts';
import { type Engine, engines } from './container.ts';

/**
 * The engine that runs the container: the one that is asked for, or the first on the PATH.
 *
 * @throws Problem `no-engine`, `engine-elsewhere`
 */
export function chooseEngine(
  asked: Engine | undefined,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Engine {
  const found = (asked ? [asked] : engines).find((engine) => findOnPath(engine, env).length > 0);
  if (found === undefined) {
    throw new Problem({
      kind: 'no-engine',
      what: `There is no ${asked ?? 'docker and no podman'} on the PATH.`,
      fix: 'Install one of them, or name what you have: `--engine podman`.',
    });
  }
  const elsewhere = whyElsewhere(found, env, platform);
  if (elsewhere === undefined) return found;
  throw new Problem({
    kind: 'engine-elsewhere',
    what: `${found} cannot give a container what is lent: a Unix socket works only on the machine that listens on it.`,
    why: elsewhere,
    fix: 'Lend to that machine, or to a container that you can reach with ssh: `vouch lend ssh HOST`.',
  });
}

/** Why the engine's machine is not this one; undefined when nothing says so. */
function whyElsewhere(engine: Engine, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (platform === 'darwin') return 'On macOS, containers run in a virtual machine.';
  const url = URL.parse((engine === 'docker' ? env.DOCKER_HOST : env.CONTAINER_HOST) ?? '');
  const here = url === null || url.hostname === '' || /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  return here ? undefined : `The engine runs at ${url.host}.`;
}
