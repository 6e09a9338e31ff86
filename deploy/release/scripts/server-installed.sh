# The user, the folder and the master key of the server. A package of either kind runs this after it has unpacked its files.
if uid=$(id -u vouch 2>/dev/null); then
  # A person of that name could read the master key.
  if [ "$uid" -ge 1000 ]; then
    echo "vouch-server: there is a user vouch that belongs to a person ($uid). The server needs that name: rename this user first." >&2
    exit 1
  fi
else
  useradd --system --user-group --home-dir /var/lib/vouch --no-create-home --shell /usr/sbin/nologin vouch
fi
if [ ! -d /var/lib/vouch ]; then
  install -d -m 0700 -o vouch -g vouch /var/lib/vouch
fi
# An existing key is never replaced: without it nobody can open the signing keys.
if [ ! -e /etc/vouch/master-key ] && [ ! -L /etc/vouch/master-key ]; then
  rm -f /etc/vouch/master-key.new
  install -m 0400 -o vouch -g vouch /dev/null /etc/vouch/master-key.new
  head -c 32 /dev/urandom | base64 >/etc/vouch/master-key.new
  # The shell does not see it when the first program fails. 32 bytes are 44 characters, and the line's end.
  if [ "$(wc -c </etc/vouch/master-key.new)" -ne 45 ]; then
    echo 'vouch-server: no master key could be made: /dev/urandom gave no 32 bytes' >&2
    exit 1
  fi
  sync /etc/vouch/master-key.new
  mv /etc/vouch/master-key.new /etc/vouch/master-key
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
