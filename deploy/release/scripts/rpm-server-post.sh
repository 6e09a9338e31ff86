if [ "$1" -ge 2 ] && [ -d /run/systemd/system ]; then
  systemctl try-restart vouch-server.service >/dev/null 2>&1 || true
elif [ "$1" -eq 1 ]; then
  echo 'vouch-server: fill in /etc/vouch/vouch.env, then run `systemctl enable --now vouch-server`.'
fi
