/**
 * The current folder, or the root if the current folder has been deleted: a deleted folder cannot contain a repository, and neither
 * Node nor Git works in one.
 */
export function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
