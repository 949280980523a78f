# shellcheck shell=sh
# Talking to a JVM by attach; sourced after check.sh and runtime.sh. Only a JVM that has a handler for QUIT is asked: the signal that wakes the
# listener for attaching would end any other process, and a JVM with -Xrs.
# shellcheck disable=SC2034,SC2154

# each_jvm WHAT COMMAND: calls the command with the PID of each of the first two JVMs of the target, with $who for people; else WHAT is skipped.
each_jvm() {
  need_target "$1"
  jvms=0 unfit=''
  for pid in $(printf '%s\n' "$table" | awk '$2 != "Z" { print $1 }' | head -n 50); do
    [ "$jvms" -lt 2 ] || break
    detect "$pid" || continue
    [ "$kind" = jvm ] || continue
    read_name "$pid"
    describe_runtime "$pid"
    line "process $pid ($name, $runtime)"
    who=$text
    if ! handles_quit "$pid"; then
      unfit="$who does not handle QUIT (it starts, or runs with -Xrs), and attaching would end it"
      continue
    fi
    jvms=$((jvms + 1))
    "$2" "$pid"
  done
  [ "$jvms" -gt 0 ] || skip "$1" "${unfit:-no JVM is seen among the target\'s processes; where one is, this container needs its UID and GID}"
}

# True if the process catches QUIT, signal 3.
handles_quit() {
  while read -r key value; do
    case $key in SigCgt:) case $value in *[4-7c-f]) return 0 ;; *) return 1 ;; esac ;; esac
  done <"$proc/$1/status"
  return 1
} 2>/dev/null

# attach PID COMMAND…: $answer becomes what the JVM answers, at most 1 MiB. Fails with the reason in $answer.
attach() {
  answer=$(within "$patience" jattach "$@" 2>&1 | head -c 1048576)
  case $answer in
    *'JVM response code = 0'*) answer=${answer#*JVM response code = 0} ;;
    *)
      answer=$(printf '%s\n' "$answer" | grep -v '^Connected' | head -n 1)
      return 1
      ;;
  esac
}

# need_jattach WHAT: skips the check where it is missing.
need_jattach() {
  patience=$((${seconds:-10} - 2))
  [ "$patience" -ge 1 ] || patience=1
  command -v jattach >/dev/null 2>&1 && return
  skip "$1" "this image has no jattach: ask for the toolset jvm"
  exit
}

# cpu_short PID: true if the process may use less than one core or was throttled within the last half second, or if its cgroup does not
# tell: $short says which. What is asked of a JVM then lasts longer than its work does.
cpu_short() {
  group=$proc/$1/root/sys/fs/cgroup
  quota='' period='' short="its CPU limit is not seen"
  if [ -r "$group/cpu.max" ]; then
    read -r quota period <"$group/cpu.max"
  else
    for group in "$group/cpu" "$group/cpu,cpuacct" none; do [ ! -r "$group/cpu.cfs_quota_us" ] || break; done
    [ "$group" != none ] || return 0
    read -r quota <"$group/cpu.cfs_quota_us"
    read -r period <"$group/cpu.cfs_period_us"
  fi 2>/dev/null
  case $quota/$period in
    max/* | -1/*) return 1 ;;
    *[!0-9/]* | /* | */) return 0 ;;
  esac
  short="its CPU limit is below one core"
  [ "$quota" -ge "$period" ] || return 0
  before=$(throttled "$group")
  sleep 0.5
  short="its CPU is throttled"
  [ "$before" = "$(throttled "$group")" ] && return 1
  return 0
}
throttled() { awk '$1 == "nr_throttled" { print $2 }' "$1/cpu.stat" 2>/dev/null; }
