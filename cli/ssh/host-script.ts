import { shellWord } from '../aws/config/command-line.ts';

/**
 * What runs on the host: lines for `sh`, which reads them from its input as we write them. So they need no quoting for the login shell
 * (bash, zsh, fish, dash, csh), which is only told to run `sh`.
 *
 * The answers are lines that begin with a mark, because a login shell's own files may print anything before.
 */

/** The words of the answers. */
export const answers = { folder: 'folder', noFolder: 'no-folder', notWritten: 'not-written', ready: 'ready' } as const;

/** Has the script remove the folder, and leave the session alone. */
export const releaseLine = 'release';

/** Where the session writes its process ID. */
const sessionFile = 'session';

/**
 * Makes the folder for the socket, and answers `folder <path>\t<Git's version>`.
 *
 * - It is ours alone, in a folder of ours or root's where nobody else can put another in its place: Git runs what its settings say.
 * - Its path has plain characters only, so that every login shell reads it as one word, and is short enough for a socket (unix(7)).
 * - Folders of the same kind whose script was killed are removed. They hold no secret, and nobody answers on their sockets.
 * - It goes when our end of the connection closes, however that comes about, because then `read` finds the end of its input.
 *
 * @param mark begins each answer
 */
export function makeFolder(mark: string): string {
  return `umask 077
say() { printf '\\n%s %s\\n' ${mark} "$1"; }
sweep() {
  for old in "$1"/vouch-lent.*; do
    [ -d "$old" ] && [ ! -L "$old" ] && [ -O "$old" ] && read -r pid <"$old/pid" && ! kill -0 "$pid" && rm -rf "$old"
  done 2>/dev/null
}
safe() {
  [ "$(find -H "$1" -prune \\( -user "$(id -u)" -o -user 0 \\) \\( -perm -1000 -o ! -perm -0020 ! -perm -0002 \\) 2>/dev/null)" ]
}
folder=
for base in "$XDG_RUNTIME_DIR" /tmp "$HOME"; do
  case $base in /*) ;; *) continue ;; esac
  case $base in *[!A-Za-z0-9._/+@-]*) continue ;; esac
  [ \${#base} -le 70 ] && [ -d "$base" ] && safe "$base" || continue
  sweep "$base"
  folder=$(mktemp -d "$base/vouch-lent.XXXXXXXXXX" 2>/dev/null) && break
  folder=
done
[ "$folder" ] || { say ${answers.noFolder}; exit 1; }
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
echo $$ >"$folder/pid" || { say ${answers.notWritten}; exit 1; }
say "${answers.folder} $folder	$(git version 2>/dev/null)"
`;
}

/**
 * Writes the files into the folder, answers `ready`, and waits for the line `release`, or for our end of the connection to close. Without
 * that line, we were killed or the network is gone; then the session is told so too (SIGHUP), as by sshd when a terminal is gone. Otherwise
 * it would stay, with nobody at it, because it shares the connection.
 *
 * @param mark as in makeFolder; no line of the files is this
 */
export function writeFiles(mark: string, files: Readonly<Record<string, string>>): string {
  const written = Object.entries(files).map(
    ([name, text]) => `cat >"$folder/${name}" <<'${mark}' || { say ${answers.notWritten}; exit 1; }
${text.replace(/\n?$/, '\n')}${mark}
`,
  );
  return `${written.join('')}say ${answers.ready}
while read -r line; do [ "$line" = ${releaseLine} ] && exit 0; done
read -r session <"$folder/${sessionFile}" && kill -HUP "$session"
exit 0
`;
}

/**
 * What the person's session runs: a shell, or a command in it as sshd would run that, with one more file for Git to include
 * (git-config(1), GIT_CONFIG_COUNT, Git 2.31). Once the file is gone, Git is as before, also in what still runs from this session.
 *
 * @param folder the script's
 * @param config the file's name in it
 * @param command undefined for a login shell
 */
export function enterScript(folder: string, config: string, command: string | undefined): string {
  return `(umask 077; echo $$ >'${folder}/${sessionFile}')
n=\${GIT_CONFIG_COUNT:-0}
case $n in *[!0-9]*) n=0 ;; esac
export GIT_CONFIG_COUNT=$((n + 1)) "GIT_CONFIG_KEY_$n=include.path" "GIT_CONFIG_VALUE_$n=${folder}/${config}"
exec "\${SHELL:-/bin/sh}" ${command === undefined ? '-l' : `-c ${shellWord(command)}`}
`;
}
