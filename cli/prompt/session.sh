# For bash and zsh: the variables that `vouch status --format shell` printed last, and VOUCH_PROMPT, the text for the prompt ("vouch
# 7h12m"; "vouch ended" when the server has ended the session; empty without one). People would notice a vouch at every prompt. So
# vouch runs at most once a minute, and when the agent has started or ended. In between, a subtraction gives the time that is left.

# The argument is the time now, in seconds since 1970.
__vouch_update() {
  local there=no left minutes
  { [ -S "$__vouch_socket" ] || [ -S "$__vouch_other_socket" ]; } && there=yes
  # A clock that was set back counts as a minute that has passed.
  if [ "$there" != "${__vouch_there-}" ] || [ "$1" -lt "$__vouch_asked" ] || [ "$1" -ge "$((__vouch_asked + 60))" ]; then
    __vouch_there=$there __vouch_asked=$1
    VOUCH_SESSION=no VOUCH_EMAIL='' VOUCH_EXPIRES_AT='' VOUCH_ENDED=''
    [ "$there" = no ] || eval "$(command vouch status --format shell 2>/dev/null </dev/null)"
  fi
  VOUCH_PROMPT='' __vouch_soon=''
  left=$((${VOUCH_EXPIRES_AT:-0} - $1))
  minutes=$(((left + 59) / 60))
  if [ -n "${VOUCH_ENDED-}" ]; then
    VOUCH_PROMPT='vouch ended' minutes=0
  elif [ "$left" -le 0 ]; then
    return 0
  elif [ "$minutes" -ge 60 ]; then
    VOUCH_PROMPT="vouch $((minutes / 60))h$((minutes % 60))m"
  else
    VOUCH_PROMPT="vouch ${minutes}m"
  fi
  [ "$minutes" -gt 30 ] || [ -n "${NO_COLOR-}" ] || [ "${TERM-dumb}" = dumb ] || __vouch_soon=yes
}
__vouch_there='' __vouch_asked=0 VOUCH_PROMPT=''
