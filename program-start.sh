#!/bin/sh
':' /*
# The first lines of each program that we build (vite.config.ts). The shell runs them, and then Node in its own place. To Node
# they are a comment. They protect a program that people start by name as well as the agent (cli/agent/client/start.ts):
# - no signal opens Node's inspector, on a port that every local user can connect to,
# - no core file contains the program's memory,
# - no variable makes Node print what it sends, write to the disk, or load and open other things,
# - V8 compiles in the main thread: a background thread may never end, and then the program does not end either (nodejs/node#54918).
set +aefuvx
ulimit -S -c 0
unset NODE_V8_COVERAGE NODE_DEBUG NODE_DEBUG_NATIVE
if [ "$NODE_OPTIONS" ]; then
  set -f
  kept=
  for option in $NODE_OPTIONS; do
    case $option in
      --use-system-ca | --use-openssl-ca | --use-bundled-ca | --dns-result-order=ipv[46]first | --dns-result-order=verbatim) ;;
      --max-old-space-size=[0-9]*) ;;
      *) continue ;;
    esac
    kept="$kept $option"
  done
  NODE_OPTIONS=$kept
fi
command -v node >/dev/null || {
  echo 'vouch: Node.js is not on the PATH, so Vouch cannot run.' >&2
  echo '  Add it (Vouch needs Node 24 or newer), then try again.' >&2
  exit 1
}
# An old Node does not know the options below. The commands that people run first check that and print a message; the others save the
# time.
case $0:$1 in
  *vouch-server:* | *vouch-server.js:* | *:enroll | *:login | *:setup | *:doctor | *:-V | *:--version)
    node --disable-sigusr1 --version >/dev/null 2>&1 || {
      echo "vouch: Vouch needs Node 24 or newer, and this is $(node --version 2>/dev/null || echo none)." >&2
      echo '  Install a newer Node, or put it first on your PATH.' >&2
      exit 1
    }
    ;;
esac
exec node --disable-sigusr1 --no-concurrent-recompilation --no-concurrent-sparkplug "$0" "$@"
*/;
