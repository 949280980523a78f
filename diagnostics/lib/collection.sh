# shellcheck shell=sh
# What the garbage collection of a JVM takes, without attaching to it; sourced after check.sh.
# shellcheck disable=SC2154

# look_at_collection PID WHO: the first look at a JVM.
look_at_collection() {
  jvm=$1 jvm_who=$2
  count_heap "$jvm"
  count_cpu "$jvm"
  heap_first=$counters cpu_first=$ticks
  read_clock
  began=$clock
}

# count_heap PID: $counters becomes "USED MOST TICKS FREQUENCY" of the old generation and the collectors (see hsperf.awk). Empty where HotSpot
# writes no such file: -XX:-UsePerfData, no writable /tmp, or a user without a name in /etc/passwd.
count_heap() {
  counters=''
  command -v busybox >/dev/null 2>&1 || return 0
  inner=$(awk '$1 == "NSpid:" { print $NF }' "$proc/$1/status" 2>/dev/null)
  for one in "$proc/$1/root/tmp"/hsperfdata_*/"${inner:-$1}"; do
    ! inside "$proc/$1/root" "${one#"$proc/$1/root"}" || counters=$(busybox od -An -v -tu1 -N 65536 "$inside" 2>/dev/null | awk -f "$lib/hsperf.awk")
  done
}

# count_cpu PID: $ticks becomes "COLLECTING ALL", the CPU time of the threads that collect garbage and of all threads. Java names them from 9 on;
# the serial collector runs on the VM's own thread.
count_cpu() {
  ticks=$(find "$proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | head -n 1000 | awk '
    {
      line = ""
      getline line < ($0 "/stat")
      close($0 "/stat")
      collects = line ~ /^[0-9]+ \((VM Thread|GC Thread|G1 (Main|Conc|Refine|Service|Young)|ParGC|ZWorker|ZDriver|Shenandoah)/
      sub(/^.*\) /, "", line)
      split(line, field, " ")
      all += field[12] + field[13]
      if (collects) mine += field[12] + field[13]
    }
    END { print mine + 0, all + 0 }')
}

# share_of_cpu: $share becomes the percentage of the JVM's CPU time since $cpu_first that its collection took; 0 where it did hardly anything.
share_of_cpu() {
  count_cpu "$jvm"
  share=$(echo "$cpu_first $ticks" | awk '{ all = $4 - $2; print (all >= 10 ? int(($3 - $1) * 100 / all) : 0) }')
}

# The finding, if the heap is full; at least a second after the first look.
judge_collection() {
  read_clock
  [ $((clock - began)) -ge 100 ] || sleep 1
  count_heap "$jvm"
  share_of_cpu
  read_clock
  if [ -n "$heap_first" ] && [ -n "$counters" ] && [ "$clock" -gt "$began" ]; then judge_counters; else judge_cpu; fi
}

judge_counters() {
  # Numbers, to be split.
  # shellcheck disable=SC2086
  set -- $heap_first $counters
  collecting=$((($7 - $3) * 10000 / $8 / (clock - began)))
  full=$(($5 * 100 / $6))
  echo "# process $jvm: old generation $full % full, garbage collection takes $collecting % of the time"
  [ "$collecting" -ge 40 ] && [ "$full" -ge 85 ] || return 0
  heap_full "its old generation of $(($6 / 1048576)) MiB is $full % used, and garbage collection takes $collecting % of the time" \
    "old generation: $5 of $6 bytes; garbage collection: $collecting % of the last $(((clock - began) / 100)) s"
}

judge_cpu() {
  echo "# process $jvm: garbage collection takes $share % of the JVM's CPU time"
  [ "$share" -ge 60 ] || return 0
  # A single collection in an idle second is none.
  cpu_first=$ticks
  sleep 1.5
  share_of_cpu
  [ "$share" -ge 60 ] || return 0
  heap_full "garbage collection takes $share % of the JVM's CPU time" "CPU time of the threads that collect garbage: $share % of that of all threads, in each of two looks"
}

heap_full() {
  finding heap-full error "the heap of $jvm_who is full: $1" \
    "what the program keeps does not fit into its maximum heap: a leak, a cache without a bound, or too small a heap (-Xmx)" \
    "look at what fills it (jvm-heap); raise -Xmx together with the container's limit only if the program needs it" "$2"
}
