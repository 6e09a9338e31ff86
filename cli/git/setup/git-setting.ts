/** A setting in one of Git's files, or in all of them together. */
export interface GitSetting {
  /** `credential.https://…`, `include`; section and name in lower case, the subsection as it is written. */
  section: string;
  name: string;
  value: string;
}

/** The settings that `git config --null --list` prints, in Git's order. */
export function parseSettings(listing: string): GitSetting[] {
  return listing
    .split('\0')
    .slice(0, -1)
    .map((entry) => {
      const newline = entry.indexOf('\n');
      const key = newline === -1 ? entry : entry.slice(0, newline);
      const dot = key.lastIndexOf('.');
      // A name without a value means true (git-config(1)).
      const value = newline === -1 ? 'true' : entry.slice(newline + 1);
      return { section: key.slice(0, dot), name: key.slice(dot + 1), value };
    });
}
