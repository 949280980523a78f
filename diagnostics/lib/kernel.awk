# What the kernel's log says of this pod. Input: lines of /proc/meminfo after the word "memory", then the log; variables: check, uid (of the
# pod; empty: not known), names ("/name/name/": the target's processes), uptime (seconds; empty: not known).

function plain(text) { gsub(/[^A-Za-z0-9 _.,:\/@+-]/, "?", text); return substr(text, 1, 60) }
# The value behind KEY= or KEY: in the line.
function after(key,   text) {
  if (!match($0, key)) return ""
  text = substr($0, RSTART + RLENGTH)
  sub(/[,; ].*/, "", text)
  return text
}
# True of a line that the kernel wrote more than an hour ago; false where it writes no times.
function long_ago() { return uptime != "" && match($0, /\[ *[0-9]+\.[0-9]+\]/) && uptime - substr($0, RSTART + 1, RLENGTH - 2) > 3600 }
function ours(group) { gsub(/_/, "-", group); return uid != "" && index(group, "pod" uid) > 0 }

$1 == "memory" && $2 == "MemTotal:" { total = $3; next }
$1 == "memory" && $2 == "MemAvailable:" { available = $3; next }
$1 == "memory" { next }

# First the reason, with the cgroups; then who it was.
/oom-kill:constraint=/ {
  mine = ours(after("task_memcg="))
  whose = /CONSTRAINT_MEMCG/ ? (after("oom_memcg=") == after("task_memcg=") ? "its container's limit was reached" : "a limit of its pod or above was reached") : "the node ran out of memory"
  next
}
/[Oo]ut of memory.*: Killed process/ {
  if (!mine) next
  mine = 0
  name = $0
  sub(/.*Killed process [0-9]+ \(/, "", name)
  sub(/\).*/, "", name)
  if (long_ago()) { old++; next }
  killed[++kills] = plain(name)
  held[kills] = int(after("anon-rss:") / 1024)
  why[kills] = whose
  next
}
/: segfault at |: general protection|traps: .* trap / {
  name = $0
  sub(/^(<[0-9]+>)?\[[ 0-9.]*\] */, "", name)
  sub(/^traps: /, "", name)
  sub(/\[[0-9]+\].*/, "", name)
  if (index(names, "/" name "/")) crashed[plain(name)]++
  next
}
/task .*:[0-9]+ blocked for more than/ {
  name = $0
  sub(/.*task /, "", name)
  sub(/:[0-9]+ blocked.*/, "", name)
  if (index(names, "/" name "/")) hung[plain(name)]++
}

END {
  if (old) print "# killed for lack of memory more than an hour ago: " old " of this pod"
  if (total) print "# memory of the node: " int(available / 1024) " MiB available of " int(total / 1024) " MiB"
  if (total && available < total * 0.02) finding("node-memory", "warn", "the node is short of memory: " int(available / 1024) " MiB available of " int(total / 1024) " MiB", "its pods together take more than it has", "look at what takes it; requests that are too low let too many pods on the node", "MemAvailable " available " kB")
  for (i = kills > 5 ? kills - 4 : 1; i <= kills; i++) {
    finding("oom-kill", "error", "the kernel killed a process of this pod for lack of memory (OOM): " killed[i] ", which held " held[i] " MiB", why[i], "raise the limit, or find what takes the memory", "kill " i " of " kills " in the log: " killed[i])
  }
  for (name in crashed) finding("segfault", "info", "a process named as one of the target, " name ", crashed (segmentation fault) " crashed[name] " time" (crashed[name] > 1 ? "s" : "") " on this node", "a fault of the program or of a native library", "look at its log and for a core dump; it may have been in another pod", "in the log of the kernel")
  for (name in hung) finding("hung-task", "info", "a process named as one of the target, " name ", was stuck in the kernel for minutes (hung task) on this node", "a disk or a network file system did not answer", "look at the volumes of the pod and the disks of the node", "in the log of the kernel")
}
