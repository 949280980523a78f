# shellcheck shell=sh
# Parts of the check disk, whose variables these are.

# The target's processes whose open files can be seen, in $entries; at most 200, each with a table of at most 4096 files.
see_processes() {
  entries='' seen=0
  while read -r pid state _ _ _ _ _ size _; do
    case $state in Z* | '') continue ;; esac
    [ "$seen" -lt 200 ] && [ "$size" -le 4096 ] && [ -d "$proc/$pid/root/." ] || continue
    seen=$((seen + 1))
    entries="$entries $proc/$pid/fd"
  done <<END
$(processes)
END
}

# Deleted files of 1 MiB and more that are still open: "bytes files pid point" a mount point, in $deleted.
find_deleted() {
  deleted=''
  see_processes
  [ -n "$entries" ] || return 0
  # A file of a network file system that is away must not hold us up. The names are ours, to be split.
  # shellcheck disable=SC2086
  found=$(within 2 find -L $entries -maxdepth 1 -type f -links 0 -size +1023k -exec stat -L -c '%n %d %i %b %B' {} + 2>/dev/null | head -n 100)
  [ -n "$found" ] || return 0
  deleted=$({
    printf '%s\nfiles\n' "$list"
    while read -r link device inode blocks size; do
      pid=${link#"$proc/"}
      pid=${pid%%/*}
      path=$(readlink "$link")
      # Of a path with a line end in it what comes before that.
      printf '%s\n' "$device $inode $blocks $size $pid ${link##*/} ${path%%
*}"
    done <<END
$found
END
  } | awk -f "$lib/deleted.awk")
}

# held POINT: what deleted files hold there: $held_bytes, $held_files, $held_pid, $held_name (the process's).
held() {
  held_bytes=0 held_files=0 held_pid='' held_name=''
  while read -r bytes files pid where; do
    [ "$where" = "$1" ] || continue
    held_bytes=$bytes held_files=$files held_pid=$pid
    { read -r held_name <"$proc/$pid/comm"; } 2>/dev/null
  done <<END
$deleted
END
}

# Whether the target may write into the directory $1 at all, by its ids; where ours are the same, the kernel is asked too (access lists,
# NFS). Sets $owner, $group_of and $mode_of.
may_write() {
  facts=$(stat -c '%u %g %a' "$root$1" 2>/dev/null) || return 0
  # shellcheck disable=SC2086
  set -- "$1" $facts
  owner=$2 group_of=$3 mode_of=$4
  if [ -n "$same_ids" ] && [ -z "$override" ]; then
    [ ! -w "$root$1" ] || [ ! -x "$root$1" ] || return 0
    return 1
  fi
  permitted "$2" "$3" "$4" 3
}

# True if something in the directory $1 is the target's to write: a program may use just that.
has_own_place() {
  [ -n "$(find "$root$1" -mindepth 1 -maxdepth 1 ! -type l \( -user "$uid" -o -perm -2 -o -group "$gid" -perm -20 \) -print 2>/dev/null | head -n 1)" ]
}

is_empty() { [ -z "$(find "$root$1" -mindepth 1 -maxdepth 1 ! -name lost+found -print 2>/dev/null | head -n 1)" ]; }

# Volumes that are mounted to be written and that the target's ids do not let it write.
look_at_rights() {
  read_ids || return 0
  describe_ids
  same_ids=''
  [ "$(sed -n 's/^Uid:[[:space:]]*//p; s/^Gid:[[:space:]]*//p' /proc/self/status)" != "$(sed -n 's/^Uid:[[:space:]]*//p; s/^Gid:[[:space:]]*//p' "$proc/$target/status" 2>/dev/null)" ] || same_ids=1
  told=0
  while read -r _ type mode kind _ point; do
    case $mode$kind in rwroot | ro* | broken*) continue ;; esac
    case $kind$point in configmap* | secret* | projected* | downward-api* | */dev/shm | */etc/hosts | */etc/hostname | */etc/resolv.conf) continue ;; esac
    unescape "${point%% \[*}"
    # A network file system that does not answer has been told of.
    case " $silent " in *" $point "*) continue ;; esac
    [ "$told" -lt 3 ] && [ -d "$root$point" ] && [ ! -L "$root$point/..data" ] || continue
    ! may_write "$point" || continue
    judge_rights
  done <<END
$list
END
}

# Whether that is trouble: not where the target has a place of its own in it, nor where a directory of the node that has something in it
# may be there to be read.
judge_rights() {
  evidence="$point ($type, $kind): mode $mode_of, owner $owner, group $group_of; the target runs as $who"
  fact "$evidence"
  closed=''
  permitted "$owner" "$group_of" "$mode_of" 1 || closed=1
  if [ -z "$closed" ]; then
    ! has_own_place "$point" || return 0
    [ "$kind" != host ] || is_empty "$point" || return 0
  fi
  told=$((told + 1)) bad=$((bad + 1))
  finding "not-writable$point" warn "the target cannot write to volume $point: permission denied for $who (the directory belongs to $owner:$group_of, mode $mode_of)" \
    "the volume belongs to another user: no fsGroup is set, or the volume does not heed it (a directory of the node, some network file systems)" \
    "set securityContext.fsGroup of the pod, or have an init container or the storage give $point to the target's user; mount it readOnly if it is only to be read" "$evidence"
}
