import { type ChildProcess, spawn } from 'node:child_process';

/** How long it may take until a program that opens browsers fails, in milliseconds: one that is a browser stays. */
const failureWindow = 5000;

/**
 * Opens a URL: with the first of $BROWSER's programs that does not fail (a list with colons, `%s` stands for the URL), else with
 * the desktop's own browser. The URL holds no secret: it is an address that is good for one sign-in.
 *
 * @returns false when nothing could be started, or what was started has failed; the person then opens the URL themselves
 */
export async function openBrowser(url: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const named = (env.BROWSER ?? '').split(':').filter((program) => program.trim() !== '');
  for (const program of named) {
    if (await start(program, url, env)) return true;
  }
  if (named.length > 0 || !hasScreen(env)) return false;
  // `open` is only loaded where it is needed, and starts xdg-open, open(1) or their like.
  const { default: open } = await import('open');
  try {
    return await succeeded(await open(url));
  } catch {
    return false;
  }
}

/**
 * Whether a browser would have a screen to appear on. Without one xdg-open starts a browser for terminals, which nobody sees, as
 * it has no terminal here. In WSL the browser is Windows' own.
 */
function hasScreen({ DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME }: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'darwin' || process.platform === 'win32') return true;
  return Boolean(DISPLAY || WAYLAND_DISPLAY || WSL_DISTRO_NAME);
}

function start(program: string, url: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const words = program.trim().split(/\s+/);
  const placed = words.some((word) => word.includes('%s'));
  const [command = '', ...args] = placed ? words.map((word) => word.replaceAll('%s', url)) : [...words, url];
  try {
    // No shell: nothing in a URL may ever be taken for a command.
    return succeeded(spawn(command, args, { env, stdio: 'ignore', detached: true }));
  } catch {
    // Some errors (a path below a file) are thrown at once.
    return Promise.resolve(false);
  }
}

/** Whether a program has started, and has not failed soon afterwards; it does not keep us. */
function succeeded(child: ChildProcess): Promise<boolean> {
  child.unref();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.once('error', () => resolve(false));
  child.once('exit', (code) => resolve(code === 0));
  if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode === 0);
  const timer = setTimeout(() => resolve(true), failureWindow).unref();
  return promise.finally(() => clearTimeout(timer));
}
