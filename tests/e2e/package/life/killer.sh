#!/bin/sh
# Stands for rm, mv and others in the PATH of maintainer scripts: counts their calls in /kill/count, and kills the script that
# makes the one whose number is in /kill/at.
name=${0##*/}
PATH=/usr/sbin:/usr/bin:/sbin:/bin
read -r caller </proc/$PPID/comm
if [ "$caller" != dpkg ]; then
    read -r count </kill/count
    read -r at </kill/at
    count=$((count + 1))
    echo $count >/kill/count
    if [ $count = "$at" ]; then
        # From a subshell of the script up to the script itself, which dpkg has started.
        script=$PPID
        while :; do
            while read -r key value; do
                [ "$key" != PPid: ] || parent=$value
            done </proc/$script/status
            read -r caller </proc/$parent/comm
            [ "$caller" != dpkg ] || break
            script=$parent
        done
        kill -KILL $script
        exit 1
    fi
fi
# What takes time only.
[ "$name" != sleep ] || exit 0
exec "$name" "$@"
