# Looks twice at the first 1000 of the target's threads, some seconds apart. Input: their directories (/proc/PID/task/TID), one a line;
# variables: proc, seconds.
# Prints what cgroup.awk reads, of the processes that used most CPU ("cpu-of") or whose threads grow ("grows"), and of threads that never
# slept meanwhile ("awake"), whether they got a processor or waited for one:
#   cpu-of PID HUNDREDTHS-OF-A-CORE NAME, grows PID BEFORE AFTER NAME, awake PID TID PERCENT-ON-A-PROCESSOR SECONDS-AWAKE-EVER SYSTEM-CALLS NAME
# Who is the only thread of its process and read or wrote meanwhile is at work, and not told.

# Nanoseconds on a processor and waiting for one, in run and wait; false if the thread is gone.
function schedule(dir,   text, f, known) {
  known = (getline text < (dir "/schedstat")) > 0
  close(dir "/schedstat")
  if (!known || split(text, f, " ") < 3) return 0
  run = f[1]
  wait = f[2]
  return 1
}

# Reads and writes of a process so far; empty where the kernel does not let us look.
function calls(pid,   text, f, sum, file) {
  file = proc "/" pid "/io"
  sum = ""
  while ((getline text < file) > 0) { split(text, f, " "); if (f[1] == "syscr:" || f[1] == "syscw:") sum += f[2] }
  close(file)
  return sum
}

function first_line(file,   text) {
  text = ""
  getline text < file
  close(file)
  gsub(/[^ -~]/, "?", text)
  return text
}

function threads_of(pid,   text, f, n, file) {
  file = proc "/" pid "/status"
  n = ""
  while (n == "" && (getline text < file) > 0) { split(text, f, " "); if (f[1] == "Threads:") n = f[2] }
  close(file)
  return n
}

function uptime(   text, f) { text = first_line("/proc/uptime"); split(text, f, " "); return f[1] }

{
  n = split($0, part, "/")
  if (last >= 1000 || !schedule($0)) next
  at[++last] = $0
  run_before[last] = run
  wait_before[last] = wait
  pid = part[n - 2]
  owner[last] = pid
  if (!(pid in number)) { number[pid] = threads_of(pid); asked[pid] = calls(pid); order[++processes] = pid }
}

END {
  began = uptime()
  system("exec sleep " seconds)
  took = uptime() - began
  if (took <= 0) took = seconds
  for (i = 1; i <= last; i++) {
    if (!schedule(at[i])) continue
    pid = owner[i]
    on = (run - run_before[i]) / 1e9
    used[pid] += on
    if (on + (wait - wait_before[i]) / 1e9 < took * 0.97 || awake++ >= 5) continue
    tid = at[i]
    sub(/.*\//, "", tid)
    asks = asked[pid] == "" ? "-" : calls(pid) - asked[pid]
    if (asks > 0 && number[pid] == 1) continue
    print "awake", pid, tid, int(on * 100 / took + 0.5), int((run + wait) / 1e9), asks, first_line(proc "/" pid "/comm")
  }
  for (i = 1; i <= processes; i++) {
    pid = order[i]
    now = threads_of(pid)
    if (now != "" && now > number[pid]) print "grows", pid, number[pid], now, first_line(proc "/" pid "/comm")
  }
  for (shown = 0; shown < 3; shown++) {
    best = ""
    for (pid in used) if (used[pid] >= took * 0.01 && (best == "" || used[pid] > used[best])) best = pid
    if (best == "") break
    print "cpu-of", best, int(used[best] * 100 / took + 0.5), first_line(proc "/" best "/comm")
    delete used[best]
  }
}
