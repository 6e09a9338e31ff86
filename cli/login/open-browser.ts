import { type ChildProcess, spawn } from 'node:child_process';

/** A program that fails does so within this time, in milliseconds. A browser stays. */
const failureWindow = 5000;

/**
 * Opens a URL with the first of $BROWSER's programs that does not fail (a list with colons, in which `%s` stands for the URL), or
 * with the desktop's own browser. The URL is not a secret: it is valid for one sign-in.
 *
 * @returns false when no program could be started, or all have failed, so that the person has to open the URL
 */
export async function openBrowser(url: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const named = (env.BROWSER ?? '').split(':').filter((program) => program.trim() !== '');
  for (const program of named) {
    if (await start(program, url, env)) return true;
  }
  if (named.length > 0 || !hasScreen(env)) return false;
  // `open` starts xdg-open, open(1) or the like. Loaded here, because most runs do not need it.
  const { default: open } = await import('open');
  try {
    return await succeeded(await open(url));
  } catch {
    return false;
  }
}

/**
 * Whether a browser would have a screen to appear on. Without one xdg-open starts a browser for terminals, which has no terminal
 * here, so nobody would see it. In WSL the browser is Windows' own.
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
    // Without a shell, because nothing in a URL may become a command.
    return succeeded(spawn(command, args, { env, stdio: 'ignore', detached: true }));
  } catch {
    // Node throws some errors at once (a path below a file).
    return Promise.resolve(false);
  }
}

/** Whether a program has started, and has not failed soon afterwards. It does not keep us from ending. */
function succeeded(child: ChildProcess): Promise<boolean> {
  child.unref();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.once('error', () => resolve(false));
  child.once('exit', (code) => resolve(code === 0));
  if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode === 0);
  const timer = setTimeout(() => resolve(true), failureWindow).unref();
  return promise.finally(() => clearTimeout(timer));
}
