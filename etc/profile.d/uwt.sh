# Says in one line to who logs in on a terminal how the wrapped commands stand; nothing with UWT_DEV_PASSTHROUGH=1.
#
# It is asked for at each login and not written into /etc/motd, for it depends on the user's configuration and environment.
# uwtctl(1) sends nothing for it. For any POSIX shell, also under `set -eu`.

case $- in
*i*)
    if [ "${UWT_DEV_PASSTHROUGH:-}" != 1 ] && [ -t 2 ] && [ -x /usr/bin/uwtctl ]; then
        /usr/bin/uwtctl status --motd </dev/null >&2 || :
    fi
    ;;
esac
