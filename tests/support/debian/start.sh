# Becomes the first process of a fresh Debian: sh start.sh LOWER, in mount, process, host name and IPC namespaces of its own.
# LOWER is the root directory that stays as it is. Says "ready", and ends with its input.
set -eu
hostname debian

# What is written goes to memory, and with the mount namespace.
mount -t tmpfs -o mode=0755 layers /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" debian /mnt/root
cd /mnt/root

mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=0755,nosuid devices dev
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts
mkdir -m 1777 dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

# Not chroot(2): who is in one cannot make user namespaces.
pivot_root . .
umount -l .
echo ready
# A shell reaps whatever orphans it inherits meanwhile.
exec /bin/bash -c 'while read -r; do :; done' >/dev/null
