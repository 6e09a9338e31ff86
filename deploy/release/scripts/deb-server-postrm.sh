#!/bin/sh
# Debian Policy, 6.8: `remove` keeps settings, master key and database; `purge` deletes them. The user stays, so that no other gets its
# number and with it whatever files of it are left.
set -e

if [ "$1" = purge ]; then
  if command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper purge vouch-server.service >/dev/null || true
  fi
  rm -f /etc/systemd/system/multi-user.target.wants/vouch-server.service
  rm -f /etc/vouch/master-key /etc/vouch/master-key.new
  # It may be a mount point, which stays.
  rm -rf /var/lib/vouch || true
  # What an administrator has put there stays.
  rmdir /etc/vouch 2>/dev/null || true
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
