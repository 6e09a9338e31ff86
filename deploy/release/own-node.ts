/**
 * What replaces the lines that look for Node on the PATH. `$0` may be a link, as in /usr/bin, and a link may lead to another. To Node
 * this is within a comment, so it must not contain that comment's end.
 */
const find = (
  node: string,
) => `# This package brings its own Node. (The names are ours alone: a variable of the caller's would reach Node changed.)
vouch_self=$0
case $vouch_self in /* | ./* | ../*) ;; *) vouch_self=./$vouch_self ;; esac
while [ -L "$vouch_self" ]; do
  vouch_link=$(readlink "$vouch_self")
  case $vouch_link in /*) vouch_self=$vouch_link ;; *) vouch_self=\${vouch_self%/*}/$vouch_link ;; esac
done
exec "\${vouch_self%/*}/${node}" `;

/**
 * A built program that starts the Node of its own package instead of the one on the PATH (program-start.sh).
 *
 * @param text the program
 * @param node where Node is, seen from the program's folder
 * @throws Error when the program does not begin as program-start.sh does
 */
export function withOwnNode(text: string, node: string): string {
  const end = text.indexOf('\n*/;\n');
  const start = text.slice(0, end);
  const from = start.indexOf('\ncommand -v node ') + 1;
  const to = start.lastIndexOf('\nexec node ') + 1;
  if (end === -1 || from === 0 || to < from) throw new Error('This program does not begin as program-start.sh does.');
  return start.slice(0, from) + find(node) + start.slice(to + 'exec node '.length) + text.slice(end);
}
