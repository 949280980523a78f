# shellcheck shell=sh
# For checks that look at processes; sourced after check.sh.

# need_target WHAT: becomes a skipped point where no process of the target is seen; else $table is set, one process a line: pid state parent
# uid gid rss-KiB threads fd-table-size open-files-limit tracer processes-limit depth name, each below its parent.
need_target() {
  if [ -z "$target" ]; then
    skip "$1" "no process namespace is shared with a target"
    exit
  fi
  table=$(printf '%s\n' "$proc"/[0-9]* | awk -f "$lib/processes.awk" -v proc="$proc" -v target="$target" -v more=1)
  if [ -z "$table" ]; then
    skip "$1" "process $target is not seen in $proc"
    exit
  fi
}

# $name becomes the name (comm) of a process, which may be of another container of the pod; empty if it is not seen. No process is needed.
read_name() {
  name=''
  read -r name 2>/dev/null <"$proc/$1/comm"
}
