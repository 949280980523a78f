# shellcheck shell=sh
# The parts of the runner. Its variables are those of ../runner.

exec_awk() { if command -v busybox >/dev/null 2>&1; then exec busybox awk "$@"; else exec awk "$@"; fi; }

# One printable line of at most 100 characters that TAP does not read as a directive.
plain() {
  case $1 in
    *[!A-Za-z0-9._-]* | ????????????????????????????????????????????????????????????????*) printf %s "$1" | tr '\000-\037\177' ' ' | tr '\\#"' '???' | cut -c 1-100 ;;
    *) echo "$1" ;;
  esac
}

# Without a word from the caller the target is process 1, unless that is ourselves, or the pause of a pod whose containers share their
# processes: $alone tells why there is none.
choose_target() {
  alone=''
  if [ -n "$target_id" ]; then
    find_target "$target_id"
    return
  fi
  first=''
  { read -r first <"$proc/1/comm"; } 2>/dev/null
  if [ "$$" = 1 ]; then
    alone='this container has processes of its own; with "kubectl debug --target=CONTAINER" it sees those of that one'
  elif [ "$first" = pause ]; then
    alone='the containers of this pod share their processes, and nobody told which is the target; --target-id=CONTAINER-ID does'
  else
    target=1
  fi
}

# The oldest process whose cgroup names the container becomes $target: its own first one, whatever the PIDs; without one there is no target.
find_target() {
  target='' oldest=''
  for entry in "$proc"/[0-9]*; do
    while read -r line; do
      case $line in *"$1"*) older "$entry" && break ;; esac
    done 2>/dev/null <"$entry/cgroup"
  done
}

# Takes the process for the target if it started before the one so far, or in the same hundredth of a second with a lower PID.
older() {
  stat=''
  read -r stat <"$1/stat"
  # After the name, which may hold anything: state, parent, … and as the 20th the start.
  # shellcheck disable=SC2086
  set -- "${1##*/}" ${stat##*) }
  started=${21:-0}
  [ -z "$oldest" ] || [ "$started" -lt "$oldest" ] || { [ "$started" = "$oldest" ] && [ "$1" -lt "$target" ]; } || return 0
  target=$1 oldest=$started
}

# Says who the target runs as, and whether we see into it: its root can be entered only where the kernel's ptrace rule holds.
# Who started us may try again as that user and group.
describe_target() {
  uid='' gid='' visible=no
  while read -r key real effective _; do
    case $key in Uid:) uid=${effective:-$real} ;; Gid:) gid=${effective:-$real} ;; esac
  done 2>/dev/null <"$proc/$target/status"
  [ -n "$uid$gid" ] || return
  [ ! -e "$proc/$target/root/." ] || visible=yes
  command_filter "say target pid=$target uid=$uid gid=$gid visible=$visible"
}

# Whole seconds since the machine started, in $now; no process is needed to ask.
read_uptime() {
  { read -r now _ </proc/uptime; } 2>/dev/null || now=$(date +%s)
  now=${now%%.*}
}

# In $began the whole seconds of uptime at which this container began: in a starved pod long before the first check.
read_began() {
  read_uptime
  began=$now stat=''
  { read -r stat <"/proc/$$/stat"; } 2>/dev/null
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  case ${20:-} in '' | *[!0-9]*) ;; *) [ $((${20} / 100)) -gt "$now" ] || began=$((${20} / 100)) ;; esac
}

# command TEXT: tells the filter something. fold holds back up to 4096 bytes: what follows the command pushes it through.
command_filter() { printf '\n%s %s\n%s %2100s\n%s %2100s\n' "$nonce" "$1" "$nonce" pad "$nonce" pad; }

# Everything that goes into the filter. Its first line is a word that no check can know; lines that begin with it command the filter.
run_checks() {
  { read -r nonce </proc/sys/kernel/random/uuid; } 2>/dev/null || nonce=$$-$PPID-$(date +%s)
  printf '%s\n' "$nonce"
  stopped='' late='' cut=''
  trap 'stopped=1' TERM
  trap 'late=1' ALRM
  trap 'cut=1' USR1
  if [ -n "$problem" ]; then
    command_filter 'check runner'
    printf 'not ok - %s\n  ---\n  check: runner\n  id: runner/arguments\n  severity: error\n' "$problem"
    printf '  next: "docs/contract.md names the arguments"\n  ...\n'
  elif [ "$expires" -gt 0 ] && [ "$(date +%s)" -ge "$expires" ]; then
    command_filter "say expired at $expires, nothing is run: this container was started after its diagnosis had ended"
  else
    [ -z "$diagnosis" ] || command_filter "say diagnosis $(plain "$diagnosis")"
    [ -z "$remark" ] || command_filter "say $remark"
    if [ -n "$target" ]; then describe_target; elif [ -n "$alone" ]; then command_filter "say no target: $alone"; fi
    run_each "$@"
    [ -z "$stopped" ] || command_filter 'say stopped by TERM'
  fi
  command_filter end
}

# Each check gets up to 10 s of the time that is left, and 8 s more for each whole second that its head says it takes, for in a starved pod all
# that it does beside waiting is slow; but it leaves 2 s, or its share, to each that follows. A sixth of the deadline is left to end what is
# late, and to print: that takes seconds there; more, once it has taken more.
run_each() {
  read_began
  spare=$((deadline / 6))
  left=$# known=''
  for request; do
    [ -z "$stopped" ] || return
    read_uptime
    rest=$((began + deadline - spare - now))
    limit=$((rest - 2 * (left - 1)))
    [ "$limit" -ge $((rest / left)) ] || limit=$((rest / left))
    [ "$limit" -ge 1 ] || limit=1
    left=$((left - 1))
    name=${request%%=*} param=''
    case $request in *=*) param=${request#*=} ;; esac
    if ! find_check "$name"; then
      [ -n "$known" ] || known=$(cd "$home/checks" && echo *)
      command_filter 'check runner'
      printf 'not ok - no check is named "%s"\n  ---\n  check: runner\n  id: runner/unknown-check\n' "$(plain "$name")"
      printf '  severity: warn\n  next: "name one of: %s"\n  ...\n' "$known"
      continue
    fi
    command_filter "check $name"
    if [ "$rest" -lt 1 ]; then
      printf 'ok - %s # SKIP the deadline of %s s has passed\n' "$name" "$deadline"
      continue
    fi
    costs_of "$file"
    [ "$limit" -le $((10 + 8 * seconds)) ] || limit=$((10 + 8 * seconds))
    if [ -n "$memory" ] && [ $((kib + container_kib)) -gt $((memory / 1024)) ]; then
      printf 'ok - %s # SKIP it needs %s MiB of memory beside the %s MiB of this container, and the pod had %s MiB left\n' \
        "$name" "$(((kib + 1023) / 1024))" "$((container_kib / 1024))" "$((memory / 1048576))"
      continue
    fi
    due=$((now + limit))
    run_one "$file" "$proc" "$target" "$param" "$limit"
    read_uptime
    [ $((now - due)) -le "$spare" ] || spare=$((now - due))
  done
}

# What a container takes without any check, the runtime's own init included, as measured, and a little more: docs/checks.md.
container_kib=6144

# $file becomes the check NAME: one of the image, or of the ConfigMap that the pod's owners mount as /checks.d.
find_check() {
  case $1 in '' | *[!a-z0-9-]*) return 1 ;; esac
  for file in "$home/checks/$1" "$home/checks.d/$1"; do
    [ ! -f "$file" ] || [ ! -r "$file" ] || return 0
  done
  return 1
}

# $kib and $seconds become the memory and the time that a check says in its head that it takes; 0 where it says nothing.
costs_of() {
  kib=0 seconds=0
  while read -r sign key word amount _ _ _ _ _ time _; do
    case $sign in '#'*) ;; *) return ;; esac
    [ "$key $word" = 'Costs: memory' ] || continue
    case ${time%%.*} in '' | *[!0-9]* | ???* | 0?*) ;; *) seconds=${time%%.*} ;; esac
    tenths=0
    case $amount in *.*) tenths=${amount#*.} && tenths=${tenths%"${tenths#?}"} ;; esac
    amount=${amount%%.*}
    # Not an octal number.
    case $amount in 0?*) return ;; esac
    case $amount$tenths in '' | *[!0-9]* | ????????*) return ;; esac
    kib=$((amount * 1024 + tenths * 103))
    return
  done <"$1"
}

# Runs a check in a session of its own and ends all of it: when it is done, too late, printing too much, or to be stopped.
run_one() {
  late='' cut=''
  # A ConfigMap's files need not be executable.
  [ -x "$1" ] || set -- sh "$@"
  setsid "$@" </dev/null 2>&1 &
  check=$!
  later "$limit" -ALRM 0
  wait "$check" 2>/dev/null
  status=$?
  forget_later
  [ -z "$late$cut$stopped" ] || { status=0 && until_grouped; }
  ! kill -0 "-$check" 2>/dev/null || end_check
  if [ -n "$late" ]; then
    printf '\nnot ok - check %s did not end within %s s and was stopped\n  ---\n  check: %s\n  id: %s/too-slow\n  severity: warn\n' "$name" "$limit" "$name" "$name"
    printf '  cause: "what it asked did not answer, or the pod is starved of CPU"\n'
    printf '  next: "ask for %s again, alone; look at the CPU that the pod may use (cgroup)"\n  ...\n' "$name"
  elif [ "$status" -ge 126 ] || [ "$status" = 2 ]; then
    printf '\nnot ok - check %s broke off with exit code %s\n  ---\n  check: %s\n  id: %s/broken\n  severity: warn\n' "$name" "$status" "$name" "$name"
    if [ "$status" -gt 128 ]; then
      printf '  cause: "it was ended by signal %s: 9 is mostly the kernel, for lack of memory in the pod"\n' $((status - 128))
      printf '  next: "look at the memory that the pod has left (cgroup), and ask for %s again"\n  ...\n' "$name"
    elif [ "$status" = 2 ]; then
      printf '  cause: "the shell gave up over something that it read: what would have followed was not looked at"\n'
      printf '  next: "take what it says to be well for not proven; run %s by hand in this image"\n  ...\n' "$name"
    else
      printf '  cause: "it could not be executed, or a program that it needs is not in this image"\n'
      printf '  next: "look at what it printed, and run %s by hand in this image"\n  ...\n' "$name"
    fi
  fi
}

# A signal may come between fork and setsid: what has no group yet could not be ended, and would stay behind.
until_grouped() {
  until kill -0 "-$check"; do
    read -r stat <"/proc/$check/stat" || return 0
    case ${stat##*) } in
      Z*)
        wait "$check"
        return 0
        ;;
    esac
    sleep 0.01
  done
} 2>/dev/null

# Ends the check from its leaves upward, for each shell must have reaped its children when it ends: orphans would become zombies of the
# target. A shell with a trap is told at once, one without (each subshell) when it is a leaf itself. TERM first; what is still there after
# about 0.2 s is killed. What even then does not end, waiting in the kernel for a device, is left behind: it ends with the container.
end_check() {
  sign=TERM
  for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    # Where children are not told (a kernel without them, no /proc), all get it at once.
    [ -r "/proc/$check/task/$check/children" ] || break
    [ "$round" -le 10 ] || sign=KILL
    # Stopped, so that no leaf becomes a parent meanwhile.
    kill -STOP "-$check"
    end_leaves "$check"
    kill -CONT "-$check"
    sleep 0.02
    read -r stat <"/proc/$check/stat" || break
    case ${stat##*) } in Z*) break ;; esac
  done
  kill -TERM "-$check"
  later 0.2 -KILL "-$check"
  wait "$check"
  forget_later
  if kill -KILL "-$check"; then
    later 0.2 -ALRM 0
    wait "$check"
    forget_later
  fi
} 2>/dev/null

# end_leaves PID: sends $sign to the leaves of this tree. A trap is sent TERM in the first round only: another would break the wait in it.
end_leaves() {
  children=''
  read -r children <"/proc/$1/task/$1/children"
  if [ "$sign" = KILL ]; then
    [ -n "$children" ] || kill -KILL "$1"
  elif has_trap "$1"; then
    [ "$round" -gt 1 ] || kill -TERM "$1"
  elif [ -z "$children" ]; then
    kill -TERM "$1"
  fi
  # The list is expanded once: that the recursion sets $children and $child anew does no harm.
  for child in $children; do end_leaves "$child"; done
}

# True if the process catches TERM, signal 15.
has_trap() {
  while read -r key value; do
    case $key in SigCgt:) case ${value%???} in *[4-7c-f]) return 0 ;; *) return 1 ;; esac ;; esac
  done <"/proc/$1/status"
  return 1
}

# later SECONDS ARGUMENT…: kills that way then, unless forgotten. Reaps its sleep: an orphan would become a zombie of the target.
# VTALRM, because nothing traps it before: a signal that comes between the fork and the new trap ends the subshell instead of being lost.
later() {
  (
    before=$!
    trap '[ "$!" = "$before" ] || kill -KILL "$!"; wait; exit' TERM VTALRM
    exec 2>/dev/null
    trap '' ALRM USR1
    sleep "$1" &
    shift
    wait "$!"
    kill "$@"
  ) &
  later=$!
}

forget_later() {
  kill -VTALRM "$later"
  wait "$later"
} 2>/dev/null
