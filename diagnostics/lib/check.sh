# shellcheck shell=sh
# What checks share; sourced by them with `. "${0%/*}/../lib/check.sh"`. A check is called with
#   $1 the proc root, $2 the target's PID (empty: none is seen), $3 its parameter, $4 the seconds that it has
# and prints test points. No value that it read from a file, an environment or an argument may be printed unmasked.

# Used by the checks.
# shellcheck disable=SC2034
proc=$1 target=$2 param=$3
check=${0##*/} lib=${0%/*}/../lib
# Our children get the same TERM: wait for them, or they become zombies of the target.
trap 'wait; exit 143' TERM

# Applets of busybox where it is, else what the distribution has. Not by a function: in a pipeline its shell would stay beside the program.
if command -v busybox >/dev/null 2>&1; then
  alias awk='busybox awk'
fi

# $text becomes the text on one line, without what TAP or YAML would take for a sign; at most 300 bytes.
line() {
  text=$1
  case $text in
    *[!A-Za-z0-9\ _.,:\;/@%+=\(\)\*?\&-]*) text=$(printf %s "$1" | tr '\000-\037\177' ' ' | sed "s/\\\\/\\//g; s/#/No. /g; s/\"/'/g") ;;
  esac
  [ "${#text}" -le 300 ] || text=$(printf %.300s "$text")
}

# fact TEXT: a comment.
fact() {
  line "$1"
  printf '# %s\n' "$text"
}

pass() {
  line "$1"
  echo "ok - $text"
}

skip() {
  line "$2"
  reason=$text
  line "$1"
  echo "ok - $text # SKIP $reason"
}

# finding ID SEVERITY TITLE CAUSE NEXT [EVIDENCE]: something is wrong. ID is made of words that name the trouble, the same every time.
finding() {
  line "$3"
  echo "not ok - $text"
  echo "  ---"
  echo "  check: $check"
  line "$check/$1"
  echo "  id: \"$text\""
  echo "  severity: $2"
  if [ -n "$4" ]; then
    line "$4"
    echo "  cause: \"$text\""
  fi
  if [ -n "$5" ]; then
    line "$5"
    echo "  next: \"$text\""
  fi
  if [ -n "$6" ]; then
    echo "  evidence: |"
    printf '%s\n' "$6" | tr '\000-\011\013-\037\177' ' ' | sed '/^ *$/d; s/^/    /' | head -n 40
  fi
  echo "  ..."
}

# Hundredths of seconds since the machine started, in $clock; no process is needed.
read_clock() {
  { read -r clock _ </proc/uptime; } 2>/dev/null || clock=$(date +%s).00
  clock=${clock%.*}${clock#*.}
}

# within SECONDS COMMAND…: the command's status, or 124 if it had to be stopped. busybox timeout would leave a zombie to the target.
within() {
  (
    limit=$1
    shift
    "$@" &
    job=$!
    (
      before=$!
      # VTALRM: see `later` in run.sh.
      trap '[ "$!" = "$before" ] || kill -KILL "$!"; wait; exit 1' TERM VTALRM
      exec 2>/dev/null
      sleep "$limit" &
      wait "$!"
      trap '' TERM VTALRM
      kill -TERM "$job"
    ) &
    watch=$!
    trap 'wait; exit 143' TERM
    wait "$job" 2>/dev/null
    status=$?
    exec 2>/dev/null
    kill -VTALRM "$watch"
    wait "$watch" && status=124
    exit "$status"
  )
}

# The target's processes, up to 1000: see processes.awk for the columns.
processes() { printf '%s\n' "$proc"/[0-9]* | awk -f "$lib/processes.awk" -v proc="$proc" -v target="$target"; }

# count_open PID SIZE: $open becomes the number of its open files; empty if the kernel does not let us look. SIZE is that of its table.
count_open() {
  open=''
  # Following this link takes the same right as listing the files.
  [ -d "$proc/$1/root/." ] || return
  if [ "$2" -le 1024 ]; then
    set -- "$proc/$1/fd"/*
    open=$#
  else
    # Too many to hold in memory; before Linux 6.2 the directory has no size.
    open=$(stat -c %s "$proc/$1/fd" 2>/dev/null)
    [ "$open" != 0 ] || open=$(find "$proc/$1/fd" -mindepth 1 2>/dev/null | wc -l)
  fi
}
