/**
 * The current folder; where that was deleted meanwhile, the root: no repository can be in what is not there, and neither Node nor
 * Git does anything in it.
 */
export function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
