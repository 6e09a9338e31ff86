# For ~/.config/fish/config.fish: vouch init fish | source

# The same as session.sh, for fish.
function __vouch_update --on-event fish_prompt
    set -l now (date +%s)
    set -l there no
    test -S "$__vouch_socket" -o -S "$__vouch_other_socket"; and set there yes
    if test "$there" != "$__vouch_there" -o "$now" -lt "$__vouch_asked" -o "$now" -ge (math "$__vouch_asked + 60")
        set -g __vouch_there $there
        set -g __vouch_asked $now
        set -g VOUCH_SESSION no
        set -g VOUCH_EMAIL ''
        set -g VOUCH_EXPIRES_AT ''
        set -g VOUCH_ENDED ''
        test $there = no; or command vouch status --format fish 2>/dev/null </dev/null | source
    end
    set -g VOUCH_PROMPT ''
    set -g __vouch_soon ''
    set -l left 0
    test -z "$VOUCH_EXPIRES_AT"; or set left (math "$VOUCH_EXPIRES_AT - $now")
    set -l minutes (math "floor(($left + 59) / 60)")
    if test -n "$VOUCH_ENDED"
        set -g VOUCH_PROMPT 'vouch ended'
        set minutes 0
    else if test "$left" -le 0
        return 0
    else if test $minutes -ge 60
        set -g VOUCH_PROMPT (string join '' 'vouch ' (math "floor($minutes / 60)") h (math "$minutes % 60") m)
    else
        set -g VOUCH_PROMPT "vouch $minutes"m
    end
    test $minutes -gt 30 -o -n "$NO_COLOR" -o "$TERM" = dumb; or set -g __vouch_soon yes
end
set -g __vouch_there ''
set -g __vouch_asked 0
set -g VOUCH_PROMPT ''

function __vouch_status
    return $argv[1]
end

# Only once, even if this file is read again, and not when the prompt shows VOUCH_PROMPT itself.
if not functions -q __vouch_own_prompt; and not functions fish_prompt | string match -q '*VOUCH_PROMPT*'
    functions -c fish_prompt __vouch_own_prompt
    function fish_prompt
        set -l before $status
        if test -n "$VOUCH_PROMPT"
            test -n "$__vouch_soon"; and set_color yellow
            printf '%s' $VOUCH_PROMPT
            test -n "$__vouch_soon"; and set_color normal
            printf ' '
        end
        # Many prompts show how the last command ended.
        __vouch_status $before
        __vouch_own_prompt
    end
end
