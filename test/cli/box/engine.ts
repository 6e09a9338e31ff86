import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/*
 * A stand-in for docker(1) and podman(1), as a program. It knows one image, `git-alone`: a Linux with Git and a shell, and with nothing of
 * Vouch's. It understands the options that the tests need, and refuses others with 125, as docker does. The container is as much of one as
 * this machine allows:
 * - `root`: namespaces, and a user of its own, as many images have one;
 * - `rootless`: a user namespace, in which the user is root, as with rootless engines;
 * - `none`, where namespaces are forbidden: an empty environment, with paths of this machine in place of the container's.
 * The file that ENGINE_LOG names gets a line of JSON for each container.
 */

type Level = 'root' | 'rootless' | 'none';

/** A user whom no files of this machine belong to. */
const stranger = '4711:4711';

const namespaces: Record<Exclude<Level, 'none'>, string[]> = {
  root: ['--mount', '--pid', '--fork'],
  rootless: ['--user', '--map-root-user', '--mount', '--pid', '--fork'],
};

/** Makes a root in $1 that has this machine's programs, and else only what is mounted; then runs the command there as the user $2. */
const enter = `set -eu
PATH=$PATH:/usr/sbin:/sbin
root=$1 user=$2 directory=$3; shift 3
mount -t tmpfs tmpfs "$root"
for name in bin sbin lib lib32 lib64 libx32 usr etc opt nix; do
  if [ -L "/$name" ]; then cp -P "/$name" "$root/$name"
  elif [ -d "/$name" ]; then mkdir "$root/$name"; mount --rbind "/$name" "$root/$name"; fi
done
mkdir "$root/dev" "$root/tmp" "$root/run" "$root/home" "$root/proc"
for name in null zero random urandom; do : >"$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
chmod 1777 "$root/tmp"
[ -z "$user" ] || chown "$user" "$root/home"
while [ "$1" != -- ]; do
  mkdir -p "$root$(dirname "$2")"
  [ -d "$1" ] && mkdir -p "$root$2" || : >"$root$2"
  mount --bind "$1" "$root$2"
  shift 2
done
shift
exec chroot \${user:+--userspec="$user"} "$root" sh -c 'cd "$0" && exec "$@"' "$directory" "$@"
`;

function fail(why: string): never {
  console.error(`docker: ${why}`);
  process.exit(125);
}

const [command, ...args] = process.argv.slice(2);
if (command !== 'run') fail(`unknown command: ${command}`);

// Options end at the image; what follows is the container's.
const valued = ['--mount', '--env', '--workdir'];
let image = 0;
while (args[image]?.startsWith('--')) image += valued.includes(args[image] ?? '') ? 2 : 1;
const { values } = options(args.slice(0, image));
if (args[image] !== 'git-alone') fail(`Unable to find image '${args[image]}' locally`);

const mounts = (values.mount ?? []).map(readMount);
const variables = (values.env ?? []).map((variable) =>
  variable.includes('=') ? variable : `${variable}=${process.env[variable] ?? ''}`,
);
const level = (process.getuid?.() === 0 ? (['root', 'rootless'] as const) : (['rootless'] as const)).find((one) => {
  return spawnSync('unshare', [...namespaces[one], 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
});

if (process.env.ENGINE_LOG) {
  appendFileSync(
    process.env.ENGINE_LOG,
    `${JSON.stringify({ level: level ?? 'none', tty: values.tty ?? false, variables })}\n`,
  );
}
process.exit(level === undefined ? withoutNamespaces() : inNamespaces(level));

function options(given: string[]) {
  try {
    return parseArgs({
      args: given,
      options: {
        rm: { type: 'boolean' },
        interactive: { type: 'boolean' },
        tty: { type: 'boolean' },
        mount: { type: 'string', multiple: true },
        env: { type: 'string', multiple: true },
        workdir: { type: 'string', default: '/' },
      },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

/** Reads `type=bind,source=…,target=…[,readonly]`: comma-separated values, in which a field may be in quotes (docker-run(1)). */
function readMount(text: string): { source: string; target: string } {
  const fields = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain = '']) =>
    (quoted ?? plain).replaceAll('""', '"'),
  );
  const {
    type,
    source = '',
    target = '',
    ...others
  } = Object.fromEntries(
    fields.map((field) => (field === 'readonly' ? [field, 'true'] : field.split(/=(.*)/s))),
  ) as Record<string, string>;
  if (type !== 'bind' || !target.startsWith('/') || Object.keys(others).some((name) => name !== 'readonly')) {
    return fail(`invalid argument "${text}" for "--mount" flag`);
  }
  if (!existsSync(source)) {
    fail(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
  }
  return { source, target };
}

function inNamespaces(one: Exclude<Level, 'none'>): number {
  const root = mkdtempSync(join(tmpdir(), 'container-'));
  try {
    const pairs = mounts.flatMap(({ source, target }) => [source, target]);
    const user = one === 'root' ? stranger : '';
    const inside = [
      'env',
      '-i',
      'PATH=/usr/local/bin:/usr/bin:/bin',
      'HOME=/home',
      ...variables,
      ...args.slice(image + 1),
    ];
    const script = ['sh', '-c', enter, 'sh', root, user, values.workdir, ...pairs, '--', ...inside];
    return spawnSync('unshare', [...namespaces[one], ...script], { stdio: 'inherit' }).status ?? 137;
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Paths of the container become those of this machine: in variables, in arguments, and in files, of which there are changed copies. */
function withoutNamespaces(): number {
  const home = mkdtempSync(join(tmpdir(), 'container-'));
  try {
    const here = (text: string) => mounts.reduce((is, { source, target }) => is.replaceAll(target, source), text);
    for (const [number, mount] of mounts.entries()) {
      if (!statSync(mount.source).isFile()) continue;
      const copy = join(home, `mount-${number}`);
      writeFileSync(copy, here(readFileSync(mount.source, 'utf8')));
      mount.source = copy;
    }
    const inside = [
      'env',
      '-i',
      'PATH=/usr/local/bin:/usr/bin:/bin',
      `HOME=${home}`,
      ...variables,
      ...args.slice(image + 1),
    ];
    const [program = '', ...rest] = inside.map(here);
    return spawnSync(program, rest, { stdio: 'inherit', cwd: home }).status ?? 137;
  } finally {
    rmSync(home, { recursive: true });
  }
}
