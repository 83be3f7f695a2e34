#!/bin/bash
# What a start through a wrapper is measured against: a script in the place of the command which does in bash what uwt does,
# and leaves the network to torsocks. It is called by the name of a command, beside which NAME.anondist-orig is; the bench
# puts the folder of its configuration in the place of @FOLDER@.

folder='@FOLDER@'

fail() {
    printf '%s\n' "$0: ERROR: $1" >&2
    exit "${2:-1}"
}

# Settings, which the files assign.
declare -A wrapped port
wrapped_by_default=1
most_nested=10
protects_from_nesting() { true; }
shopt -s nullglob
for file in "$folder"/*.conf; do
    [ -r "$file" ] || fail "$file cannot be read"
    source "$file" || fail "$file has an error"
done

# A wrapper that calls itself must come to an end.
if protects_from_nesting; then
    : "${wrapper_counter:=0}"
    if [ "$wrapper_counter" -ge "$most_nested" ]; then
        fail "$wrapper_counter wrappers are nested" 255
    fi
    export wrapper_counter=$((wrapper_counter + 1))
fi

# Which command it is.
called="$0"
case "$called" in
    */*) ;;
    *) called="$(command -v -- "$called")" || fail "cannot tell how it was called" ;;
esac
called="${called%.anondist}"
original="$called.anondist-orig"
if [ ! -x "$original" ]; then
    fail "$original is missing: install the package that brings ${called##*/}" 127
fi

# Where it runs: everything may go through Tor anyway.
transparent=0
for marker in "$folder/marker/workstation" "$folder/marker/qubes"; do
    if [ -e "$marker" ]; then
        transparent=1
    fi
done

# Whether it is wrapped here and now.
wrap="${wrapped[$called]:-$wrapped_by_default}"
if [ "${UWT_DEV_PASSTHROUGH:-0}" = 1 ]; then
    wrap=0
fi
for argument in "$@"; do
    case "$argument" in
        *localhost* | *127.0.0.1*) [ "$transparent" = 1 ] && wrap=0 ;;
    esac
done
if [ "$wrap" = 0 ]; then
    exec -a "$0" "$original" "$@"
fi

# Where to.
gateway="$(cat "$folder/gateway")" || fail "the gateway is not known"
exec torsocks --isolate --address "$gateway" --port "${port[$called]:-9050}" "$original" "$@"
