# Threads as the kernel shows them, one a line: pid tid state cpu switches io waits-at with-time-limit name (last: it may hold blanks).
# cpu: clock ticks so far; switches: how often it gave the processor away by itself; io: its reads and writes, "-" if not shown; waits-at: the
# address of the futex that it waits for, in hex, with ":mutex" where it waits as glibc's mutexes do, "write:FD" where it is in a write, else "-".
# Input: directories /proc/PID/task/TID, one a line; variables: futex, the number of that system call; writes, those of write and
# writev, with blanks around each.

function low7(text,   value) { value = substr(text, length(text), 1); return index("0123456789abcdef", value) - 1 + 16 * (index("01234567", substr(text, length(text) - 1, 1)) ? substr(text, length(text) - 1, 1) : index("89abcdef", substr(text, length(text) - 1, 1)) - 1) }
function hex(text,   i, value) { value = 0; for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1; return value }

{
  dir = $0
  n = split(dir, part, "/")
  line = ""
  getline line < (dir "/stat")
  close(dir "/stat")
  if (line == "") next
  name = line
  sub(/^[^(]*\(/, "", name)
  sub(/\) [^)]*$/, "", name)
  gsub(/[^ -~]/, "?", name)
  sub(/^.*\) /, "", line)
  split(line, stat, " ")
  switches = io = "-"
  while ((getline line < (dir "/status")) > 0) if (line ~ /^voluntary/) { split(line, field, /[ \t]+/); switches = field[2] }
  close(dir "/status")
  while ((getline line < (dir "/io")) > 0) if (line ~ /^sysc[rw]:/) { split(line, field, " "); io = io == "-" ? field[2] : io + field[2] }
  close(dir "/io")
  line = at = ""
  getline line < (dir "/syscall")
  close(dir "/syscall")
  split(line, call, " ")
  timed = 1
  if (call[1] == futex) {
    operation = low7("0" substr(call[3], 3))
    # FUTEX_WAIT and FUTEX_WAIT_BITSET
    if (operation == 0 || operation == 9) {
      at = call[2] (operation == 0 && call[4] == "0x2" ? ":mutex" : "")
      timed = call[5] != "0x0"
    }
  }
  else if (index(writes, " " call[1] " ")) at = "write:" hex(substr(call[2], 3))
  print part[n - 2], part[n], stat[1], stat[12] + stat[13], switches, io, (at == "" ? "-" : at), timed, name
}
