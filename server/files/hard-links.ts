/** What systems say that have no hard links, or none in this folder (link(2)). */
const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Whether a link could not be made because there are no hard links. */
export function lacksHardLinks(error: unknown): boolean {
  return NO_HARD_LINKS.includes((error as NodeJS.ErrnoException).code ?? '');
}
