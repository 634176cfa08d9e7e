#!/bin/sh
# What somebody would type who makes a replicated volume of 1 GiB by hand, on three nodes at once: the floor that a server
# is measured against. Connections are kept, as a server keeps them; the first call opens them.
#
#   by_hand.sh connect|create|delete KEY CONTROL NAME NODE:STORAGE:GROUP…
#
# KEY is a private key of root, CONTROL a folder for connections, NAME the volume's; of each node: where its sshd listens
# (port 2222), its storage address, and the volume group that takes the brick.
set -eu
verb=$1 key=$2 control=$3 name=$4
shift 4

on() {
  host=$1
  shift
  ssh -q -i "$key" -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ControlMaster=auto \
    -o ControlPath="$control/%h" -o ControlPersist=600 "root@$host" "$@"
}

on_all() { # run a function for every node, all at the same time
  pids=
  for each in $nodes; do
    "$1" "${each%%:*}" "${each##*:}" &
    pids="$pids $!"
  done
  for pid in $pids; do wait "$pid"; done
}

connect() { on "$1" true; }

make_brick() {
  on "$1" "set -e
    mkdir -p /var/lib/heketi/mounts/$2/brick_$name
    lvcreate -qq --autobackup=n --poolmetadatasize 8192K --chunksize 256K --size 1048576K --thin $2/tp_$name \
      --virtualsize 1048576K --name brick_$name
    mkfs.xfs -i size=512 -n size=8192 /dev/mapper/$2-brick_$name >/dev/null
    echo /dev/mapper/$2-brick_$name /var/lib/heketi/mounts/$2/brick_$name xfs rw,inode64,noatime,nouuid 1 2 >>/etc/fstab
    mount -o rw,inode64,noatime,nouuid /dev/mapper/$2-brick_$name /var/lib/heketi/mounts/$2/brick_$name
    mkdir /var/lib/heketi/mounts/$2/brick_$name/brick"
}

remove_brick() {
  on "$1" "set -e
    umount /var/lib/heketi/mounts/$2/brick_$name
    sed -i '/brick_$name/d' /etc/fstab
    lvremove -qq --autobackup=n -f $2/tp_$name
    rmdir /var/lib/heketi/mounts/$2/brick_$name"
}

nodes=$*
first=${1%%:*}
case $verb in
  connect)
    on_all connect
    ;;
  create)
    on_all make_brick
    bricks=
    for each in $nodes; do
      rest=${each#*:}
      bricks="$bricks ${rest%%:*}:/var/lib/heketi/mounts/${each##*:}/brick_$name/brick"
    done
    on "$first" "gluster --mode=script volume create $name replica 3 $bricks && gluster --mode=script volume start $name"
    ;;
  delete)
    on "$first" "gluster --mode=script volume stop $name force && gluster --mode=script volume delete $name"
    on_all remove_brick
    ;;
esac
