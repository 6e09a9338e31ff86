#!/bin/sh
# Debian Policy, 6.5: after the files are unpacked. It may be run again at any time.
set -e

case $1 in
  configure)
    # server-installed.sh
    # A server that runs goes on with the new version. One that has never been started is not: its settings come first.
    if [ -n "$2" ] && [ -d /run/systemd/system ]; then
      deb-systemd-invoke try-restart vouch-server.service >/dev/null || true
    fi
    if [ -z "$2" ]; then
      echo 'vouch-server: fill in /etc/vouch/vouch.env, then run `systemctl enable --now vouch-server`.'
    fi
    ;;
esac
