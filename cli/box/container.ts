/** The programs that run containers with the same options: docker-run(1), podman-run(1). */
export const engines = ['docker', 'podman'] as const;
export type Engine = (typeof engines)[number];

/** Where a container has what is lent. */
export const inContainer = { gitSocket: '/run/vouch/git.sock', gitConfig: '/run/vouch/gitconfig' } as const;

/**
 * The arguments that run a container with a lend: the socket and a file with Git's settings, which the variables make Git include
 * (git-config(1), GIT_CONFIG_COUNT, Git 2.31). None of them is a secret.
 *
 * @param files on this machine
 * @param terminal whether somebody sits at a terminal: then the container gets it
 * @param rest further options, the image, and the command in it, as the person wrote them
 */
export function containerArguments(
  files: { gitSocket: string; gitConfig: string },
  terminal: boolean,
  rest: readonly string[],
): string[] {
  return [
    'run',
    '--rm',
    '--interactive',
    ...(terminal ? ['--tty'] : []),
    // Unlike --volume, this does not make a folder when there is nothing to mount.
    ...['--mount', mount(files.gitSocket, inContainer.gitSocket)],
    ...['--mount', `${mount(files.gitConfig, inContainer.gitConfig)},readonly`],
    ...['--env', 'GIT_CONFIG_COUNT=1'],
    ...['--env', 'GIT_CONFIG_KEY_0=include.path'],
    ...['--env', `GIT_CONFIG_VALUE_0=${inContainer.gitConfig}`],
    ...rest,
  ];
}

function mount(source: string, target: string): string {
  return `type=bind,${field(`source=${source}`)},target=${target}`;
}

/** A field of comma-separated values (RFC 4180), as the value of --mount is. */
function field(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
