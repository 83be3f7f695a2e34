# Wraps commands by diversion and puts them back, for the maintainer scripts and `uwtctl wrapper`: debian/rules puts this
# file into the former, the compiler into the latter.
#
# A wrapped /usr/bin/NAME is
#
#     NAME                 a link to NAME.anondist
#     NAME.anondist        a link to uwt
#     NAME.anondist-orig   the distribution's file, to which dpkg diverts NAME
#
# (in another folder than uwt's, NAME.anondist is a link to ../bin/uwt)
#
# and /usr/bin/torsocks, for the package uwt-torsocks, a link to a shell file, without anything between them.
#
# At every moment NAME is either the distribution's file or a wrapper that works: a second name is made for the file (a
# hard link) before a link takes the first one's place by rename(2), and the other way round when it is put back.
#
# A script can be killed anywhere, and dpkg can upgrade or remove the wrapped package before it runs again. So that it
# can tell then what is whose, the commands that it changes are listed in a journal first. For a command in the journal
#
#     with our diversion      the file at NAME.anondist-orig counts. Where there is none, no package brings the command,
#                             and what else is at NAME was left there when its package was removed.
#     without a diversion     the file at NAME counts, and one at NAME.anondist-orig is its second name or an older one.
#
# What is not in the journal and not as we make it is somebody else's: it is left alone, with a message.
#
# For the package "local", the commands are those that `uwtctl wrapper add` has wrapped, by local diversions. They are
# listed in a file, for there may be other local diversions. It stays when uwt is removed, until it is purged, so that they
# are wrapped again when it comes back.

uwt_root=${DPKG_ROOT:-}
uwt_nl='
'
uwt_list=$uwt_root/var/lib/uwt/local

# Changes something, by the command that is given.
uwt_do() {
    "$@"
}

uwt_say() {
    printf 'uwt: %s\n' "$*" >&2
}

# The commands that `uwtctl wrapper add` has wrapped.
uwt_local() {
    if [ -f "$uwt_list" ]; then
        cat "$uwt_list"
    fi
}

# Begins to work for PACKAGE: reads which diversions there are.
uwt_use() {
    uwt_package=$1
    uwt_journal=$uwt_root/var/lib/uwt/$1.changing
    uwt_listed=$(uwt_local)
    # A line each, "diversion of FILE to OTHER by PACKAGE" or "local diversion of FILE to OTHER".
    uwt_diversions=$(LC_ALL=C dpkg-divert --list)
}

uwt_exists() {
    [ -e "$1" ] || [ -L "$1" ]
}

# Whether FILE is a link to TARGET.
uwt_is_link() {
    [ -L "$1" ] && [ "$(readlink -- "$1")" = "$2" ]
}

# Whether NAME is in LIST.
uwt_is_in() {
    for uwt_entry in $2; do
        if [ "$uwt_entry" = "$1" ]; then
            return 0
        fi
    done
    return 1
}

# What a wrapped NAME is a link to.
uwt_target() {
    case $uwt_package in
    uwt-torsocks) echo ../share/uwt/torsocks ;;
    *) echo "${1##*/}.anondist" ;;
    esac
}

# Whether NAME leads to uwt by NAME.anondist.
uwt_has_middle() {
    [ "$uwt_package" != uwt-torsocks ]
}

# What NAME.anondist is a link to.
uwt_middle() {
    case $1 in
    /usr/bin/*) echo uwt ;;
    *) echo ../bin/uwt ;;
    esac
}

# Whether NAME.anondist is ours.
uwt_is_middle() {
    case $1 in
    /usr/bin/*) uwt_is_link "$uwt_root$1.anondist" uwt ;;
    *) uwt_is_link "$uwt_root$1.anondist" ../bin/uwt ;;
    esac
}

uwt_is_wrapper() {
    uwt_is_link "$uwt_root$1" "$(uwt_target "$1")"
}

# Whether TEXT holds PART. A shell does that by itself; there are many commands, and this is asked often.
uwt_holds() {
    case $1 in
    *"$2"*) return 0 ;;
    *) return 1 ;;
    esac
}

# Finds the names by which dpkg may know the file NAME, the usual one last. It diverts names: where /bin is a link to
# /usr/bin, a package that brings /bin/NAME would write over the wrapper. Those on the lists of packages have one name.
uwt_find_names() {
    uwt_known_as=$1
    if [ "$uwt_package" = local ]; then
        uwt_folder=${1%/*}
        case $uwt_folder in
        /usr/bin | /usr/sbin)
            if [ -L "$uwt_root${uwt_folder#/usr}" ]; then
                uwt_known_as="${1#/usr} $1"
            fi
            ;;
        esac
    fi
}

# Whether NAME is diverted, by whomever.
uwt_is_diverted() {
    uwt_find_names "$1"
    for uwt_known in $uwt_known_as; do
        if uwt_holds "$uwt_diversions" "diversion of $uwt_known to "; then
            return 0
        fi
    done
    return 1
}

# Whether dpkg's name NAME is diverted as we divert it.
uwt_is_diverted_so() {
    case $uwt_package in
    local) uwt_line="local diversion of $1 to $1.anondist-orig" ;;
    *) uwt_line="diversion of $1 to $1.anondist-orig by $uwt_package" ;;
    esac
    uwt_holds "$uwt_nl$uwt_diversions$uwt_nl" "$uwt_nl$uwt_line$uwt_nl"
}

# Whether a diversion of NAME that looks like ours is.
uwt_may_be_ours() {
    [ "$uwt_package" != local ] || uwt_is_in "$1" "$uwt_listed"
}

# Whether our diversion of NAME is there, all of it.
uwt_is_ours() {
    uwt_may_be_ours "$1" || return 1
    uwt_find_names "$1"
    for uwt_known in $uwt_known_as; do
        uwt_is_diverted_so "$uwt_known" || return 1
    done
}

# Whether somebody else diverts NAME.
uwt_is_theirs() {
    uwt_find_names "$1"
    for uwt_known in $uwt_known_as; do
        if uwt_holds "$uwt_diversions" "diversion of $uwt_known to " &&
            ! { uwt_may_be_ours "$1" && uwt_is_diverted_so "$uwt_known"; }; then
            return 0
        fi
    done
    return 1
}

# Makes a diversion of NAME that is ours.
uwt_add_diversion() {
    if [ "$uwt_package" = local ]; then
        uwt_do dpkg-divert --quiet --local --divert "$1.anondist-orig" --no-rename --add "$1"
    else
        uwt_do dpkg-divert --quiet --package "$uwt_package" --divert "$1.anondist-orig" --no-rename --add "$1"
    fi
}

# Ends it.
uwt_remove_diversion() {
    if [ "$uwt_package" = local ]; then
        uwt_do dpkg-divert --quiet --local --divert "$1.anondist-orig" --no-rename --remove "$1"
    else
        uwt_do dpkg-divert --quiet --package "$uwt_package" --divert "$1.anondist-orig" --no-rename --remove "$1"
    fi
}

# Makes what is missing of our diversion of NAME; the files stay where they are.
uwt_divert() {
    uwt_find_names "$1"
    for uwt_known in $uwt_known_as; do
        if ! uwt_is_diverted_so "$uwt_known"; then
            uwt_add_diversion "$uwt_known"
        fi
    done
}

uwt_in_journal() {
    [ -f "$uwt_journal" ] && grep -qxF -e "$1" "$uwt_journal"
}

# Writes the names into the journal: in one piece, behind those of a run that was interrupted.
uwt_begin() {
    mkdir -p "$uwt_root/var/lib/uwt"
    printf '%s\n' "$@" >>"$uwt_journal"
}

# Everything is as it should be.
uwt_end() {
    rm -f -- "$uwt_journal"
    if [ -d "$uwt_root/var/lib/uwt" ]; then
        rmdir --ignore-fail-on-non-empty "$uwt_root/var/lib/uwt"
    fi
}

# Gives the file or link FROM a second name, or makes a copy with all its attributes where the file system has no hard
# links.
uwt_second() {
    uwt_do ln -P -T -- "$1" "$2" 2>/dev/null || uwt_do cp -a -T -- "$1" "$2"
}

# Whether both are names of the same file or link, with which mv(1) would do nothing, or fail.
uwt_are_one() {
    uwt_exists "$1" && [ "$(stat -c %d:%i -- "$1")" = "$(stat -c %d:%i -- "$2")" ]
}

# The commands that are ours, by diversion or journal, or by a diversion that somebody took away from a wrapper in LIST.
uwt_ours() {
    if [ "$uwt_package" = local ]; then
        uwt_names=
        for uwt_name in $uwt_listed; do
            if uwt_is_ours "$uwt_name" || uwt_is_wrapper "$uwt_name"; then
                uwt_names="$uwt_names $uwt_name"
            fi
        done
    else
        uwt_names=$(printf '%s\n' "$uwt_diversions" |
            sed -n "s|^diversion of \(/[^ ]*\) to \1\.anondist-orig by $uwt_package\$|\1|p")
    fi
    if [ -f "$uwt_journal" ]; then
        uwt_names="$uwt_names $(cat "$uwt_journal")"
    fi
    for uwt_name in $1; do
        if uwt_is_wrapper "$uwt_name" && ! uwt_is_diverted "$uwt_name"; then
            uwt_names="$uwt_names $uwt_name"
        fi
    done
    printf '%s\n' "$uwt_names" | tr ' ' '\n' | sed '/^$/d' | sort -u
}

uwt_is_wrapped() {
    uwt_is_ours "$1" && uwt_is_wrapper "$1" && ! uwt_in_journal "$1" || return 1
    ! uwt_has_middle || uwt_is_middle "$1"
}

# Whether NAME can be wrapped. Says why not.
uwt_may_wrap() {
    uwt_not="$1 is not wrapped and connects as if there were no uwt:"
    case $uwt_package in
    local) uwt_retry="then run \`uwtctl wrapper add $1\`" ;;
    *) uwt_retry="then run \`dpkg-reconfigure $uwt_package\`" ;;
    esac
    if uwt_is_theirs "$1"; then
        if uwt_is_wrapper "$1" && uwt_is_middle "$1"; then
            uwt_say "$1 is not wrapped by this package: somebody else has done it already, with a diversion of their own"
            return 1
        fi
        uwt_by=$(dpkg-divert --listpackage "$1")
        uwt_say "$uwt_not it is diverted by $uwt_by; remove that diversion (dpkg-divert --remove), $uwt_retry"
        return 1
    fi
    if uwt_has_middle && uwt_exists "$uwt_root$1.anondist" && ! uwt_is_middle "$1"; then
        uwt_say "$uwt_not $1.anondist is not uwt's; move it away, $uwt_retry"
        return 1
    fi
    if [ -d "$uwt_root$1" ] && ! [ -L "$uwt_root$1" ]; then
        uwt_say "$uwt_not it is a folder; move it away, $uwt_retry"
        return 1
    fi
    if uwt_is_wrapper "$1" || uwt_in_journal "$1"; then
        return 0
    fi
    if uwt_is_ours "$1"; then
        uwt_foreign=$1
    else
        uwt_foreign=$1.anondist-orig
    fi
    for uwt_other in "$uwt_foreign" "$1.anondist-new"; do
        if uwt_exists "$uwt_root$uwt_other"; then
            uwt_say "$uwt_not $uwt_other is neither uwt's nor the distribution's; move it away, $uwt_retry"
            return 1
        fi
    done
}

# Wraps NAME, which may be wrapped and is in the journal.
uwt_wrap() {
    uwt_file=$uwt_root$1
    if ! uwt_is_ours "$1"; then
        if ! uwt_is_wrapper "$1"; then
            uwt_do rm -f -- "$uwt_file.anondist-orig"
            if uwt_exists "$uwt_file"; then
                uwt_second "$uwt_file" "$uwt_file.anondist-orig"
            fi
        fi
        uwt_divert "$1"
    fi
    if uwt_has_middle && ! uwt_is_middle "$1"; then
        uwt_do ln -s -T "$(uwt_middle "$1")" "$uwt_file.anondist"
    fi
    uwt_do rm -f -- "$uwt_file.anondist-new"
    if ! uwt_is_wrapper "$1"; then
        uwt_do ln -s -T "$(uwt_target "$1")" "$uwt_file.anondist-new"
        uwt_do mv -f -T -- "$uwt_file.anondist-new" "$uwt_file"
    fi
}

# For PACKAGE, wraps exactly the commands in LIST.
uwt_wrap_all() {
    uwt_use "$1"
    for uwt_file in /usr/bin/uwt $(uwt_has_middle || echo /usr/share/uwt/torsocks); do
        if ! [ -x "$uwt_root$uwt_file" ]; then
            case $uwt_package in
            local) uwt_whence="the package uwt" ;;
            *) uwt_whence="the packages uwt and $uwt_package" ;;
            esac
            uwt_say "$uwt_file: not found, so nothing is wrapped; install $uwt_whence again"
            return 1
        fi
    done
    uwt_changed=
    for uwt_name in $2; do
        if ! uwt_is_wrapped "$uwt_name" && uwt_may_wrap "$uwt_name"; then
            uwt_changed="$uwt_changed $uwt_name"
        fi
    done
    uwt_dropped=
    for uwt_name in $(uwt_ours ''); do
        if ! uwt_is_in "$uwt_name" "$2"; then
            uwt_dropped="$uwt_dropped $uwt_name"
        fi
    done
    if [ -n "$uwt_changed" ]; then
        # shellcheck disable=SC2086 # they are many
        uwt_begin $uwt_changed
        for uwt_name in $uwt_changed; do
            uwt_wrap "$uwt_name"
        done
    fi
    uwt_unwrap "$uwt_dropped"
    uwt_end
}

# Somebody has put something else in the place of the wrapper NAME.
uwt_is_replaced() {
    uwt_is_ours "$1" && uwt_exists "$uwt_root$1" && ! uwt_is_wrapper "$1" && ! uwt_in_journal "$1"
}

# Removes NAME.anondist if it is ours.
uwt_remove_middle() {
    if uwt_has_middle && uwt_is_middle "$1"; then
        uwt_do rm -f -- "$uwt_root$1.anondist"
    fi
}

# Ends our diversion of NAME, or what is left of it; the files stay where they are.
uwt_end_diversion() {
    uwt_known_so=
    uwt_find_names "$1"
    for uwt_known in $uwt_known_as; do
        if uwt_is_diverted_so "$uwt_known"; then
            uwt_known_so="$uwt_known $uwt_known_so"
        fi
    done
    for uwt_known in $uwt_known_so; do
        uwt_remove_diversion "$uwt_known"
    done
}

# Puts the distribution's file, or nothing where there is none, in the place of the wrapper NAME.
uwt_restore() {
    uwt_file=$uwt_root$1
    uwt_do rm -f -- "$uwt_file.anondist-new"
    if ! uwt_is_ours "$1" && ! uwt_is_wrapper "$1"; then
        return 0
    fi
    if ! uwt_exists "$uwt_file.anondist-orig"; then
        uwt_do rm -f -- "$uwt_file"
    elif ! uwt_are_one "$uwt_file" "$uwt_file.anondist-orig"; then
        uwt_second "$uwt_file.anondist-orig" "$uwt_file.anondist-new"
        uwt_do mv -f -T -- "$uwt_file.anondist-new" "$uwt_file"
        # On an overlay file system they may be one although it does not show. Then rename(2) does nothing.
        uwt_do rm -f -- "$uwt_file.anondist-new"
    fi
}

# Unwraps the commands in LIST. First all of them get their files back, and their second names go only later: who has just
# called a wrapper still needs them.
uwt_unwrap() {
    uwt_left=
    for uwt_name in $1; do
        uwt_file=$uwt_root$uwt_name
        if ! uwt_is_replaced "$uwt_name"; then
            uwt_left="$uwt_left $uwt_name"
        elif uwt_exists "$uwt_file.anondist-orig"; then
            uwt_do cp -a --backup=numbered -T -- "$uwt_file" "$uwt_file.uwt-saved"
            uwt_say "$uwt_name was not uwt's wrapper any more: it is $uwt_name.uwt-saved now, and the distribution's is back"
            uwt_left="$uwt_left $uwt_name"
        else
            uwt_remove_middle "$uwt_name"
            uwt_end_diversion "$uwt_name"
        fi
    done
    if [ -z "$uwt_left" ]; then
        return 0
    fi
    # shellcheck disable=SC2086 # they are many
    uwt_begin $uwt_left
    for uwt_name in $uwt_left; do
        uwt_restore "$uwt_name"
    done
    for uwt_name in $uwt_left; do
        uwt_end_diversion "$uwt_name"
    done
    uwt_do sleep 1
    for uwt_name in $uwt_left; do
        uwt_remove_middle "$uwt_name"
        uwt_do rm -f -- "$uwt_root$uwt_name.anondist-orig"
    done
}

# Unwraps everything that PACKAGE has wrapped; LIST is what it usually wraps.
uwt_unwrap_all() {
    uwt_use "$1"
    uwt_unwrap "$(uwt_ours "$2")"
    uwt_end
}

# Puts the distribution's files in the place of wrappers that somebody else has made by hand with diversions of their own,
# since uwt goes. The diversions are theirs and stay.
uwt_release_others() {
    for uwt_file in "$uwt_root"/usr/bin/*.anondist "$uwt_root"/usr/sbin/*.anondist "$uwt_root"/usr/games/*.anondist; do
        uwt_file=${uwt_file%.anondist}
        uwt_name=${uwt_file#"$uwt_root"}
        if uwt_is_middle "$uwt_name" && uwt_is_link "$uwt_file" "${uwt_file##*/}.anondist"; then
            uwt_say "$uwt_name is not wrapped any more, since uwt is removed; its diversion, if it has one, stays"
            if uwt_exists "$uwt_file.anondist-orig"; then
                rm -f -- "$uwt_file.anondist-new"
                uwt_second "$uwt_file.anondist-orig" "$uwt_file.anondist-new"
                mv -f -T -- "$uwt_file.anondist-new" "$uwt_file"
            else
                rm -f -- "$uwt_file"
            fi
            rm -f -- "$uwt_file.anondist"
        fi
    done
}
