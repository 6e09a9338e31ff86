import { Problem } from '../problem/problem.ts';

export function noSsh(): Problem {
  return new Problem({
    kind: 'no-ssh',
    what: 'There is no `ssh` on the PATH.',
    fix: 'Install OpenSSH’s client (openssh-client), then try again.',
  });
}

/** @param said what the host said instead */
export function noShell(host: string, said: string): Problem {
  return new Problem({
    kind: 'ssh-host',
    what: `${host} did not run the commands that prepare the lend.`,
    why: said === '' ? 'It ended the session.' : `It said: ${said}`,
    fix: 'The account there needs a shell (a forced command or git-shell is none), and `sh`, `mktemp`, `find` and `cat`.',
  });
}

export function noFolder(host: string): Problem {
  return new Problem({
    kind: 'ssh-host',
    what: `There is no place for a private folder on ${host}.`,
    why: 'None of XDG_RUNTIME_DIR, /tmp and the home folder there can be written to, or none has a short and plain path.',
    fix: 'Make room in /tmp there.',
  });
}

export function notWritten(host: string): Problem {
  return new Problem({
    kind: 'ssh-host',
    what: `The Git settings could not be written on ${host}.`,
    why: 'Its disk may be full.',
    fix: 'Make room there, then try again.',
  });
}

/** @param said what ssh printed */
export function notForwarded(host: string, said: string): Problem {
  return new Problem({
    kind: 'ssh-forward',
    what: `${host} does not let us forward a socket.`,
    why: said,
    fix: 'Its administrator allows it by `AllowStreamLocalForwarding yes` in sshd_config; `DisableForwarding`, and `restrict` in authorized_keys, forbid it.',
  });
}
