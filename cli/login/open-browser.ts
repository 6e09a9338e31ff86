import { spawn } from 'node:child_process';

/**
 * Opens a URL: with the first of $BROWSER's programs that starts (a list with colons, `%s` stands for the URL), else with
 * the desktop's own browser. The URL holds no secret: it is an address that is good for one sign-in.
 *
 * @returns false when nothing could be started; the person then opens the URL themselves
 */
export async function openBrowser(url: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const named = (env.BROWSER ?? '').split(':').filter((program) => program.trim() !== '');
  for (const program of named) {
    if (await start(program, url, env)) return true;
  }
  if (named.length > 0) return false;
  // `open` is only loaded where it is needed, and starts xdg-open, open(1) or their like.
  const { default: open } = await import('open');
  try {
    const child = await open(url);
    return await started(child);
  } catch {
    return false;
  }
}

function start(program: string, url: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const words = program.trim().split(/\s+/);
  const placed = words.some((word) => word.includes('%s'));
  const [command = '', ...args] = placed ? words.map((word) => word.replaceAll('%s', url)) : [...words, url];
  try {
    // No shell: nothing in a URL may ever be taken for a command.
    return started(spawn(command, args, { env, stdio: 'ignore', detached: true }));
  } catch {
    // Some errors (a path below a file) are thrown at once.
    return Promise.resolve(false);
  }
}

function started(child: ReturnType<typeof spawn>): Promise<boolean> {
  child.unref();
  if (child.pid !== undefined) {
    child.on('error', () => {});
    return Promise.resolve(true);
  }
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
}
