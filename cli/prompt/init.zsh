# For ~/.zshrc: eval "$(vouch init zsh)"

zmodload zsh/datetime
autoload -Uz add-zsh-hook

# Runs before each prompt. A prompt shows elements of psvar without the option PROMPT_SUBST, which would change other prompts.
__vouch_prompt() {
  __vouch_update "$EPOCHSECONDS"
  psvar[8]='' psvar[9]=''
  if [ -n "$__vouch_soon" ]; then psvar[8]=$VOUCH_PROMPT; else psvar[9]=$VOUCH_PROMPT; fi
}

# This list holds each name only once.
add-zsh-hook precmd __vouch_prompt

# A prompt that names VOUCH_PROMPT, or that we have changed already, stays as it is.
case "${PROMPT-}" in
  *VOUCH_PROMPT* | *'%(9V.'*) ;;
  *) PROMPT='%(8V.%F{yellow}%8v%f .)%(9V.%9v .)'"${PROMPT-}" ;;
esac
