# What two looks at threads say (see threads-look.awk), with a line "again" between them. Variables: proc, hertz.
#   spins PID TID PERCENT NAME          has computed all the time between, without a read, a write or a wait
#   cycle PID TID…                      each waits for a mutex that the next holds, the last for one of the first
#   held PID TID COUNT NAME             COUNT threads wait for a mutex that this one holds
#   writes PID TID FD                   has been in one write all the time between
#   asleep PID COUNT                    all its threads wait for locks, without a limit of time
#   waits PID TID                       has waited for one lock all the time between, without a limit of time

function hex(text,   i, value) { value = 0; for (i = 3; i <= length(text); i++) value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1; return value }
# The thread that holds the mutex of glibc at the address, 0 if none does: its third word, while the first says that others wait.
function holder(pid, at,   command, text, field) {
  command = "busybox dd bs=4 count=3 skip=" sprintf("%.0f", hex(at) / 4) " if='" proc "/" pid "/mem' 2>/dev/null | busybox od -An -v -td4"
  text = ""
  command | getline text
  close(command)
  return split(text, field, " ") == 3 && field[1] == 2 ? field[3] + 0 : 0
}

$0 == "again" { again = 1; next }
{ key = $1 " " $2 }
!again { state[key] = $3; cpu[key] = $4; switches[key] = $5; io[key] = $6; at[key] = $7; next }
{
  threads[$1]++
  if (!(key in cpu)) next
  same = $5 == switches[key] && $5 != "-"
  name = $9
  for (i = 10; i <= NF; i++) name = name " " $i
  names[key] = name
  # Runnable at both looks, without having slept between: runnable all the time, however little of a processor it got.
  if (same && $3 == "R" && state[key] == "R" && $6 == io[key] && $6 != "-" && ($4 - cpu[key]) * 33 >= hertz) print "spins", $1, $2, int(($4 - cpu[key]) * 100 / hertz), name
  if (same && $7 ~ /^write:/ && $7 == at[key] && $6 == io[key] && $3 != "R") print "writes", $1, $2, substr($7, 7)
  if (same && $7 != "-" && $7 == at[key]) {
    if (!$8) { asleep[$1]++; print "waits", $1, $2 }
    if ($7 ~ /:mutex$/ && ++reads <= 64) {
      address = substr($7, 1, length($7) - 6)
      owner = holder($1, address)
      if (owner) { waits[key] = owner; count[$1 " " owner]++ }
    }
  }
}
END {
  for (key in waits) {
    if (key in told) continue
    split(key, part, " ")
    path = ""
    hops = 0
    for (tid = part[2]; hops < 64 && (part[1] " " tid) in waits && !((part[1] " " tid) in on); hops++) { on[part[1] " " tid] = 1; tid = waits[part[1] " " tid] }
    # Back at a thread of this way: a circle begins there.
    if (((part[1] " " tid) in on) && !((part[1] " " tid) in told)) {
      first = tid
      do { path = path " " tid; told[part[1] " " tid] = 1; circle[part[1] " " tid] = 1; tid = waits[part[1] " " tid] } while (tid != first)
      print "cycle", part[1] path
      deadlocked[part[1]] = 1
    }
    for (key2 in on) { told[key2] = 1; delete on[key2] }
  }
  for (key in count) if (count[key] >= 8 && !(key in waits)) { split(key, part, " "); print "held", part[1], part[2], count[key], names[key] }
  for (pid in asleep) if (asleep[pid] == threads[pid] && threads[pid] >= 2 && !(pid in deadlocked)) print "asleep", pid, threads[pid]
}
