#!/bin/sh
# torsocks, carried out by uwt (see `torsocks --help`).
#
#   torsocks COMMAND…   runs a command; so does every word but the three below
#   . torsocks on       carries the further commands of this shell
#   . torsocks off      ends that
#   . torsocks show     prints LD_PRELOAD and says whether it is on (`torsocks show` too)
#
# A shell whose `.` takes no arguments, as dash, says `set -- on; . torsocks`.
#
# Sourced, it changes LD_PRELOAD and UWT_SESSION of the shell and nothing else.

_uwt_torsocks() {
    if [ -n "${ZSH_VERSION-}" ]; then
        emulate -L sh
    fi
    # A session names its library last. Without a guard it is one that `on` has made, or `uwt --guard=off`.
    _uwt_library=${UWT_SESSION-}
    _uwt_library=${_uwt_library##* preload=}
    _uwt_state=off
    case ${UWT_SESSION-} in
        version=*" guard=off "*" preload=/"*)
            case ":${LD_PRELOAD-}:" in
                *":$_uwt_library:"*) _uwt_state=on ;;
            esac
            ;;
        version=*" guard="*) _uwt_state=guarded ;;
    esac

    case $#:${1-}:$_uwt_state in
        1:show:off | 1:show:on | 1:show:guarded)
            command printf 'LD_PRELOAD="%s"\n' "${LD_PRELOAD-}"
            case $_uwt_state in
                off) command printf 'uwt: off: commands of this shell do not go through Tor\n' >&2 ;;
                on) command printf 'uwt: on: commands of this shell go through Tor\n' >&2 ;;
                *) command printf 'uwt: on, with a guard: commands of this shell go through Tor\n' >&2 ;;
            esac
            ;;
        1:on:off)
            # A guard cannot be put on a running shell.
            _uwt_session=$(/usr/libexec/uwt/torsocks --guard=off /usr/bin/printenv UWT_SESSION) || return 1
            _uwt_library=${_uwt_session##* preload=}
            case $_uwt_session in
                version=*" preload=/"*) ;;
                *)
                    command printf 'uwt: no session was made; commands of this shell do not go through Tor\n' >&2
                    return 1
                    ;;
            esac
            case ":${LD_PRELOAD-}:" in
                *":$_uwt_library:"*) ;;
                *) LD_PRELOAD=$_uwt_library${LD_PRELOAD:+:$LD_PRELOAD} ;;
            esac
            UWT_SESSION=$_uwt_session
            export LD_PRELOAD UWT_SESSION
            command printf 'uwt: on: commands of this shell go through Tor, but NOT those that load no library (statically linked or set-user-ID ones), nor what the shell itself connects to; `torsocks --shell` starts a shell that carries everything\n' >&2
            ;;
        1:on:on) command printf 'uwt: on already\n' >&2 ;;
        1:on:guarded) command printf 'uwt: on already, with a guard\n' >&2 ;;
        1:off:on)
            case $LD_PRELOAD in
                "$_uwt_library") unset LD_PRELOAD ;;
                "$_uwt_library":*) LD_PRELOAD=${LD_PRELOAD#"$_uwt_library":} ;;
                *:"$_uwt_library") LD_PRELOAD=${LD_PRELOAD%:"$_uwt_library"} ;;
                *) LD_PRELOAD=${LD_PRELOAD%%":$_uwt_library:"*}:${LD_PRELOAD#*":$_uwt_library:"} ;;
            esac
            unset UWT_SESSION
            command printf 'uwt: off: commands of this shell do NOT go through Tor any more\n' >&2
            ;;
        1:off:off) command printf 'uwt: off already: commands of this shell do not go through Tor\n' >&2 ;;
        1:off:guarded)
            command printf 'uwt: this shell was started with a guard, which cannot be taken off; `exit` leaves it\n' >&2
            return 1
            ;;
        *)
            command printf 'uwt: sourced, torsocks takes on, off or show: `. torsocks on`, in dash `set -- on; . torsocks`\n' >&2
            return 1
            ;;
    esac
}

_uwt_sourced=no
if [ -n "${BASH_VERSION-}" ]; then
    # There is something to return to.
    if (return 0 2>/dev/null); then
        _uwt_sourced=yes
    fi
elif [ -n "${ZSH_VERSION-}" ]; then
    case ${ZSH_EVAL_CONTEXT-} in
        *:file | *:file:*) _uwt_sourced=yes ;;
    esac
else
    case ${0##*/} in
        torsocks) ;;
        *) _uwt_sourced=yes ;;
    esac
fi

if [ "$_uwt_sourced" = yes ]; then
    unset _uwt_sourced
    if _uwt_torsocks "$@"; then
        unset -f _uwt_torsocks
        unset _uwt_library _uwt_session _uwt_state
        return 0
    else
        unset -f _uwt_torsocks
        unset _uwt_library _uwt_session _uwt_state
        return 1
    fi
fi

case $#:${1-} in
    1:on | 1:off)
        command printf 'uwt: only a shell can change itself: `. torsocks %s`\n' "$1" >&2
        exit 1
        ;;
    1:show)
        _uwt_torsocks show
        exit
        ;;
esac
exec /usr/libexec/uwt/torsocks "$@"
