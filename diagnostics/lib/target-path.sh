# shellcheck shell=sh
# Paths of the target, as it would follow them; sourced by checks after check.sh and access.sh. The kernel does not do it for us: an absolute
# link under /proc/PID/root leads into the root of who follows it.

# follow PATH: $real becomes the path in the target's root after all links, without them; $closed the first directory on the way that
# the target may not search. Fails with $why: missing (with $there, the last directory that is), loop, or refused.
follow() {
  real='' why='' closed='' links=0 there=''
  left=$1
  while [ -n "$left" ]; do
    part=${left%%/*}
    case $left in */*) left=${left#*/} ;; *) left='' ;; esac
    case $part in
      '' | .) continue ;;
      ..) real=${real%/*} && continue ;;
    esac
    case $real/$part in
      /proc | /sys | /dev) why=refused && return 1 ;;
    esac
    may_search "${real:-/}"
    if [ -L "$root$real/$part" ]; then
      links=$((links + 1))
      [ "$links" -le 40 ] || { why=loop && return 1; }
      step=$(readlink "$root$real/$part")
      case $step in /*) real='' ;; esac
      left=$step${left:+/$left}
    elif [ -e "$root$real/$part" ]; then
      real=$real/$part
    else
      there=${real:-/} why=missing
      return 1
    fi
  done
  real=${real:-/}
}

# inside ROOT PATH: $inside becomes the path, as we reach it, of a regular file of that root that we may read; fails if there is none. Nothing else
# of the target may be opened: a FIFO would hold us up, a device may have no end.
inside() {
  inside=$(
    exec 2>/dev/null
    root=$1 uid=''
    follow "$2" && [ -f "$root$real" ] && [ -r "$root$real" ] && printf %s "$root$real"
  )
}

# beginning BYTES FILE: prints so much of a file of the target, in lines that awk can hold.
beginning() { head -c "$1" "$2" | tr -d '\000' | fold -b -w 4000; }

# Remembers in $closed the first directory that the target may not search; where it is not asked for, $uid is empty.
may_search() {
  [ -z "$closed" ] && [ -n "$uid" ] || return 0
  bits=$(stat -c '%u %g %a' "$root$1" 2>/dev/null) || return 0
  # shellcheck disable=SC2086
  permitted $bits 1 || closed=$1
}
