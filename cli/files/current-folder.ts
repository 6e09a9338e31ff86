/**
 * The current folder, or the root when that folder has been deleted: a deleted folder can hold no repository, and neither Node nor
 * Git works in one.
 */
export function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
