# shellcheck shell=sh
# Two looks at the target's threads, for the checks that tell which of them hang; sourced after check.sh, processes.sh and runtime.sh.
# shellcheck disable=SC2034,SC2154

# need_look WHAT: becomes a skipped point where the threads cannot be looked at; $pids are the target's processes.
need_look() {
  if ! command -v busybox >/dev/null 2>&1; then
    skip "$1" "busybox is missing here; on Debian: apt-get install busybox-static"
    exit
  fi
  if ! { read -r _ <"$proc/$target/syscall"; } 2>/dev/null || [ ! -d "$proc/$target/root/." ]; then
    skip "$1" "not open to inspection (other user, more capabilities, or not dumpable)"
    exit
  fi
  case $(uname -m) in
    x86_64) futex=202 writes=' 1 20 ' ;;
    aarch64 | riscv64) futex=98 writes=' 64 66 ' ;;
    *) futex=none writes='' ;;
  esac
  pids=$(printf '%s\n' "$table" | awk '$2 != "Z" { print $1 }' | head -n 100)
  crowds=$(printf '%s\n' "$table" | awk '$7 > 400 { printf "%s ", $1 }' | head -c 4096)
}

# The directories of a process's threads. A shell sorts what it lists, and would hold all of many thousands.
tasks() {
  case " $crowds" in
    *" $1 "*) find "$proc/$1/task" -mindepth 1 -maxdepth 1 ;;
    *) printf '%s\n' "$proc/$1/task"/[0-9]* ;;
  esac
}

look() {
  for pid in $pids; do tasks "$pid"; done 2>/dev/null | head -n 400 | awk -f "$lib/threads-look.awk" -v futex="$futex" -v writes="$writes"
}

# look_twice: $found becomes what two looks with a second between them tell: see threads.awk.
look_twice() {
  found=$({
    look
    echo again
    sleep 1
    look
  } | awk -f "$lib/threads.awk" -v proc="$proc" -v hertz=100)
}

# $waiting becomes the number of connections that wait for the process: not yet accepted, or with bytes that it has not read; "none" where it
# has no connections, or so many open files that listing them would take too much memory.
count_waiting() {
  waiting=none
  [ "$(awk '$1 == "FDSize:" { print $2 }' "$proc/$1/status" 2>/dev/null || echo 0)" -le 4096 ] 2>/dev/null || return 0
  # shellcheck disable=SC2012
  waiting=$(ls -ln "$proc/$1/fd" 2>/dev/null | awk -v net="$proc/$1/net" '
    function hex(text,   i, value) { for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789ABCDEF", substr(text, i, 1)) - 1; return value }
    match($0, /socket:\[[0-9]+\]$/) { own[substr($0, RSTART + 8, RLENGTH - 9)] = 1 }
    function read_table(file,   line, f, queue) {
      while ((getline line < file) > 0) {
        split(line, f, " ")
        split(f[5], queue, ":")
        if (!(f[10] in own)) continue
        if (f[4] == "0A") { listens = 1; sum += hex(queue[2]) }
        else if (f[4] ~ /^0[18]$/ && queue[2] !~ /^0+$/) sum++
      }
    }
    END { read_table(net "/tcp"); read_table(net "/tcp6"); print (listens || sum) ? sum + 0 : "none" }')
}

# still_busy PID TID: true if the thread neither sleeps, or wakes, nor reads nor writes for another 1.5 s: what takes a second may be work.
still_busy() {
  first=$(printf '%s\n' "$proc/$1/task/$2" | awk -f "$lib/threads-look.awk" -v futex="$futex" | awk '{ print $3, $5, $6 }')
  sleep 1.5
  [ "$first" = "$(printf '%s\n' "$proc/$1/task/$2" | awk -f "$lib/threads-look.awk" -v futex="$futex" | awk '{ print $3, $5, $6 }')" ]
}

who() { # PID: $who becomes its number, name and runtime; $kind is set
  name='' runtime='' kind=''
  read -r name 2>/dev/null <"$proc/$1/comm"
  ! detect "$1" || describe_runtime "$1"
  [ "$kind" != native ] || runtime=''
  # awk would make line ends of what looks so in a variable.
  line "process $1 ($name${runtime:+, ${runtime%%,*}})"
  who=$text
}

thread() { # PID TID: $thread becomes "TID (NAME)"
  name=''
  read -r name 2>/dev/null <"$proc/$1/task/$2/comm"
  line "$2 ($name)"
  thread=$text
}

# $wait becomes the number of connections that wait, in words.
count_words() { if [ "$waiting" = 1 ]; then wait="1 connection waits"; else wait="$waiting connections wait"; fi; }

# blocked PERCENT: the finding of a Node.js process, $who with $facts, whose main thread computes without a pause.
blocked() {
  count_words
  severity=warn more=''
  case $waiting in 0 | none) ;; *) severity=error more=", and $wait for it" ;; esac
  finding event-loop-blocked "$severity" "the event loop of $who is blocked: its main thread is busy without a pause ($1 % of a core)$more" \
    "JavaScript computes without giving the loop back: a loop, a regular expression, or synchronous work on much data" \
    "take a CPU profile where this can be repeated; split the work or move it to a worker thread" "$facts"
}
