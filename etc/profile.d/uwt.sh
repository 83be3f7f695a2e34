# Says in one line to who logs in on a terminal how the wrapped commands stand; nothing with UWT_DEV_PASSTHROUGH=1.
#
# It is asked for at each login and not written into /etc/motd, for it depends on the user's configuration and environment.
# For any POSIX shell, also under `set -eu`.

uwt_state() {
    uwt_isolated=0
    uwt_shared=
    uwt_off=
    for uwt_wrapper in /usr/bin/*.anondist; do
        uwt_command=${uwt_wrapper%.anondist}
        uwt_name=${uwt_command##*/}
        # shellcheck disable=SC3013 # -ef is in POSIX since 2024, and in every shell
        if ! [ "$uwt_command" -ef /usr/bin/uwt ] || ! [ -x "$uwt_command.anondist-orig" ]; then
            continue
        fi
        if ! uwt_plan=$(/usr/bin/uwt --explain "$uwt_command" 2>/dev/null </dev/null); then
            echo "uwt: $uwt_name, and perhaps other wrapped commands, cannot start; \`uwt --explain $uwt_name\` says why"
            return
        fi
        uwt_protection=
        uwt_isolation=none
        while read -r uwt_label uwt_value _; do
            case $uwt_label in
            protection) uwt_protection=$uwt_value ;;
            isolation) uwt_isolation=$uwt_value ;;
            esac
        done <<EOF
$uwt_plan
EOF
        case $uwt_protection:$uwt_isolation in
        on:none | by:*) uwt_shared="$uwt_shared $uwt_name" ;;
        on:*) uwt_isolated=$((uwt_isolated + 1)) ;;
        *) uwt_off="$uwt_off $uwt_name" ;;
        esac
    done
    uwt_text=
    case $uwt_isolated in
    0) ;;
    1) uwt_text=" 1 wrapped command is isolated, on Tor circuits of its own;" ;;
    *) uwt_text=" $uwt_isolated wrapped commands are isolated, on Tor circuits of their own;" ;;
    esac
    if [ -n "$uwt_shared" ]; then
        uwt_text="$uwt_text through Tor, but not isolated:$uwt_shared;"
    fi
    if [ -n "$uwt_off" ]; then
        uwt_text="$uwt_text NOT through Tor, by the configuration:$uwt_off;"
    fi
    case $uwt_isolated$uwt_shared in
    0) [ -z "$uwt_text" ] || echo "uwt:${uwt_text%;}" ;;
    *) echo "uwt:$uwt_text UWT_DEV_PASSTHROUGH=1 switches uwt off" ;;
    esac
}

case $- in
*i*)
    if [ "${UWT_DEV_PASSTHROUGH:-}" != 1 ] && [ -t 2 ]; then
        # In a subshell, so that the variables end with it.
        (uwt_state >&2) || :
    fi
    ;;
esac
unset -f uwt_state
