#!/bin/sh
### BEGIN INIT INFO
# Provides:          uwt-lab-daemon
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: says hi
### END INIT INFO
PATH=/usr/sbin:/usr/bin:/sbin:/bin
pid=/run/uwt-lab-daemon.pid
case $1 in
start)
    start-stop-daemon --start --background --make-pidfile --pidfile $pid --startas /usr/sbin/uwt-lab-daemon
    ;;
stop)
    start-stop-daemon --stop --retry 30 --pidfile $pid --remove-pidfile && rm -f /run/uwt-lab-daemon.address
    ;;
*)
    exit 3
    ;;
esac
