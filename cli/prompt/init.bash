# For ~/.bashrc: eval "$(vouch init bash)"

# Runs before each prompt, and keeps the status of the last command.
__vouch_prompt() {
  local before=$? now=${EPOCHSECONDS-}
  # bash 5 has EPOCHSECONDS, 4.2 has this format; macOS still ships 3.2.
  [ -n "$now" ] || printf -v now '%(%s)T' -1 2>/dev/null || now=$(date +%s)
  __vouch_update "$now"
  __vouch_color='' __vouch_plain=''
  [ -z "$__vouch_soon" ] || __vouch_color=$'\e[33m' __vouch_plain=$'\e[0m'
  return "$before"
}

# First, so that all other prompt code can use VOUCH_PROMPT; and only once, even if this file is evaluated again.
case "${PROMPT_COMMAND[*]-}" in
  *__vouch_prompt*) ;;
  *)
    if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
      # Keeps the rest of the list. Together with its first entry, because bash before 5.1 runs only that one.
      PROMPT_COMMAND=("__vouch_prompt${PROMPT_COMMAND[0]:+$'\n'${PROMPT_COMMAND[0]}}" "${PROMPT_COMMAND[@]:1}")
    else
      PROMPT_COMMAND="__vouch_prompt${PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}"
    fi
    ;;
esac

# A prompt that names VOUCH_PROMPT already stays as it is.
case "${PS1-}" in
  *VOUCH_PROMPT*) ;;
  *) PS1='\[${__vouch_color-}\]${VOUCH_PROMPT-}\[${__vouch_plain-}\]${VOUCH_PROMPT:+ }'"${PS1-}" ;;
esac
