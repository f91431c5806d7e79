# What the scripts of CI share: a stage has a heading, and says at its end how long it took. To be sourced.

stage() {
    local what=$1 begun=$SECONDS status=0
    shift
    printf '\n== %s\n' "$what"
    "$@" || status=$?
    printf -- '-- %s: %d s%s\n' "$what" $((SECONDS - begun)) "$([ "$status" = 0 ] || echo ", failed")"
    return "$status"
}
