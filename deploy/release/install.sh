#!/bin/sh
# Installs Vouch for you alone, in ~/.local, or with --system for everybody, in /usr/local. It needs neither Node nor root (but with
# --system). Read it, then run it:
#
#   sh install.sh                 downloads the archive, compares its SHA-256 with the one below, and unpacks it only if they are the same
#   sh install.sh --file ARCHIVE  takes an archive that is here already, with the same check
#   sh install.sh --system        installs into /usr/local
#   sh install.sh --uninstall     removes what it has installed, and nothing else
#
# It changes: LIB/vouch, and links to its programs, manual pages and completions. No file of your shell, no setting of Git.
set -eu

version='@version@'
url='@url@'

main() {
  prefix='' archive='' uninstall=no
  while [ $# -gt 0 ]; do
    case $1 in
      --system) prefix=/usr/local ;;
      --prefix | --url | --file)
        [ $# -gt 1 ] || fail "$1 needs a value"
        case $1 in
          --prefix) prefix=$2 ;;
          --url) url=${2%/} ;;
          --file) archive=$2 ;;
        esac
        shift
        ;;
      --uninstall) uninstall=yes ;;
      --help | -h) usage && return ;;
      *) usage >&2 && fail "unknown option: $1" ;;
    esac
    shift
  done
  : "${prefix:=${HOME:?}/.local}"
  case $prefix in /*) ;; *) fail "--prefix needs an absolute path, and this is \"$prefix\"" ;; esac
  home=$prefix/lib/vouch
  if [ "$(id -u)" = 0 ]; then only_roots "$prefix/lib"; fi
  # Whatever is there and has not come from here is not ours to replace.
  if [ -e "$home" ] && [ ! -f "$home/$mark" ]; then
    fail "$home is there, and this script has not made it. Move it away, or choose another --prefix"
  fi
  if [ $uninstall = yes ]; then remove; else install_vouch; fi
}

# Root starts what it has unpacked, so nobody else may be able to exchange it on the way: not where `sudo` leaves HOME as it was, either.
# Refuses folders and links of other users from / to $1.
only_roots() {
  above=${1%/*}
  [ "$1" = / ] || only_roots "${above:-/}"
  { [ -e "$1" ] || [ -L "$1" ]; } || return 0
  ls -ldn "$1" | {
    read -r _ _ owner _
    [ "$owner" = 0 ]
  } || fail "$1 belongs to another user than root. Run this as that user, or with --system"
}

# The file that shows that a folder was made by this script.
mark=.installed-by-install-sh

usage() {
  echo 'usage: sh install.sh [--system | --prefix FOLDER] [--file ARCHIVE | --url ADDRESS] [--uninstall]'
}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

# Sets $platform, and $sum to what its archive must have.
choose() {
  case $(uname -s) in
    Linux) platform=linux ;;
    Darwin) platform=darwin ;;
    *) fail "there is no archive for $(uname -s)" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) platform=$platform-x64 ;;
    aarch64 | arm64) platform=$platform-arm64 ;;
    *) fail "there is no archive for $(uname -m)" ;;
  esac
  # musl has no glibc, which Node needs.
  if [ -f /etc/alpine-release ]; then fail 'Node needs glibc, which Alpine does not have'; fi
  sum=
  case $platform in
    @sums@
  esac
  [ "$sum" ] || fail "there is no archive for $platform"
}

download() {
  echo "Downloading $1"
  # An address that begins with http may lead elsewhere only by https, unless it is http itself.
  if command -v curl >/dev/null; then
    curl --fail --location --proto-redir =https --silent --show-error --output "$2" "$1" || fail "could not download $1"
  elif command -v wget >/dev/null; then
    wget -q -O "$2" "$1" || fail "could not download $1"
  else
    fail 'neither curl nor wget is here. Download the archive elsewhere, and give it by --file'
  fi
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

install_vouch() {
  choose
  umask 022
  mkdir -p "$prefix/lib"
  # Beside its place, so that it can be moved there at once.
  work=$(mktemp -d "$prefix/lib/.vouch-XXXXXX")
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ -z "$archive" ]; then
    archive=$work/archive.tar.gz
    download "$url/vouch-$version-$platform.tar.gz" "$archive"
  else
    # A copy, so that what is checked is what is unpacked.
    cp "$archive" "$work/archive.tar.gz"
    archive=$work/archive.tar.gz
  fi
  found=$(sha256 "$archive")
  [ "$found" = "$sum" ] || fail "this is not the archive that it should be, so nothing was unpacked
  SHA-256 of the file  $found
  SHA-256 expected     $sum"
  tar -xzf "$archive" -C "$work"
  new=$work/vouch-$version-$platform
  : >"$new/$mark"
  "$new/bin/vouch" --version >/dev/null || fail 'vouch does not start on this machine, so nothing was changed'
  if [ -e "$home" ]; then
    unlink_all
    mv "$home" "$work/before"
  fi
  mv "$new" "$home"
  link_all
  echo "Installed Vouch $version in $home"
  case :$PATH: in
    *:"$prefix/bin":*) echo 'Next: `vouch enroll`, with the invitation that your administrator sends you' ;;
    *) echo "Next: put $prefix/bin on your PATH, then run \`vouch enroll\`" ;;
  esac
}

# Removes the temporary folder. If the exchange of old and new was interrupted in the middle, the old one comes back.
clean_up() {
  if [ ! -e "$home" ] && [ -d "$work/before" ]; then
    mv "$work/before" "$home"
    link_all
  fi
  rm -rf "$work"
}

# Calls "$1 LINK TARGET" for each link.
each_link() {
  for program in vouch git-credential-vouch git-remote-codecommit; do
    "$1" "$prefix/bin/$program" "../lib/vouch/bin/$program"
  done
  # Manual and completions.
  for file in "$home"/share/*/*/*; do
    inside=${file#"$home"/share/}
    [ ! -f "$file" ] || "$1" "$prefix/share/$inside" "../../../lib/vouch/share/$inside"
  done
}

make_link() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    echo "install.sh: left $1 alone, which was there before" >&2
    return
  fi
  mkdir -p "${1%/*}"
  ln -s "$2" "$1"
}

# Removes only a link that says what ours say.
remove_link() {
  if [ -L "$1" ] && [ "$(readlink "$1")" = "$2" ]; then rm -f "$1"; fi
}

link_all() {
  each_link make_link
}

unlink_all() {
  each_link remove_link
}

remove() {
  [ -d "$home" ] || fail "there is nothing to remove in $home"
  unlink_all
  rm -rf "$home"
  echo "Removed $home"
  echo 'Your settings stay: ~/.config/vouch, ~/.aws/config, and what `vouch setup` wrote for Git. An agent that runs ends with its session.'
}

# The last line, so that half a script does nothing.
main "$@"
