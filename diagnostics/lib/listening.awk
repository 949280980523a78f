# The kernel's tables of TCP and UDP sockets, decoded. Variables: net (the directory), port (expected to be open to others, or empty), check.

function number(text,   i, value) {
  value = 0
  for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789ABCDEF", toupper(substr(text, i, 1))) - 1
  return value
}
# Addresses are hexadecimal words of 4 bytes, each in the order of the machine (little-endian).
function address(text,   i, out, word) {
  if (length(text) == 8) return number(substr(text, 7, 2)) "." number(substr(text, 5, 2)) "." number(substr(text, 3, 2)) "." number(substr(text, 1, 2))
  if (text ~ /^0+$/) return "[::]"
  if (text == "00000000000000000000000001000000") return "[::1]"
  if (text ~ /^0000000000000000FFFF0000/) return address(substr(text, 25))
  out = ""
  for (i = 0; i < 4; i++) {
    word = substr(text, i * 8 + 1, 8)
    out = out (i ? ":" : "") sprintf("%x:%x", number(substr(word, 7, 2) substr(word, 5, 2)), number(substr(word, 3, 2) substr(word, 1, 2)))
  }
  return "[" out "]"
}
function read_table(file, kind,   text, f, at, local, remote, p, queue) {
  if ((getline text < file) <= 0) return
  while ((getline text < file) > 0) {
    sub(/^ +/, "", text)
    split(text, f, / +/)
    at = index(f[2], ":")
    p = number(substr(f[2], at + 1))
    if (kind ~ /^udp/) { if (f[4] == "07") { n++; where[n] = address(substr(f[2], 1, at - 1)) ":" p; what[n] = kind; inode[n] = f[10]; ports[n] = p }; continue }
    states[f[4]]++
    if (f[4] == "0A") {
      n++
      local = address(substr(f[2], 1, at - 1))
      where[n] = local ":" p; what[n] = kind; inode[n] = f[10]; ports[n] = p
      queue = number(substr(f[5], index(f[5], ":") + 1))
      waiting[n] = queue
      if (local ~ /^(127\.|\[::1\])/) { onlyloop[p]++ } else open[p]++
    } else if (f[4] == "08") {
      remote = address(substr(f[3], 1, index(f[3], ":") - 1)) ":" number(substr(f[3], index(f[3], ":") + 1))
      left[remote]++
    }
  }
  close(file)
}
function yaml(id, severity, cause, next_step, evidence) {
  print "  ---\n  check: " check "\n  id: \"" check "/" id "\"\n  severity: " severity "\n  cause: \"" cause "\"\n  next: \"" next_step "\"\n  evidence: |"
  gsub(/\n/, "\n    ", evidence)
  print "    " evidence "\n  ..."
}
# Input: "process PID NAME", then its open files as ls -ln shows them.
$1 == "process" { who = $2 " (" substr($0, length($1 $2) + 3) ")"; next }
match($0, /socket:\[[0-9]+\]$/) { owner[substr($0, RSTART + 8, RLENGTH - 9)] = who }

END {
  split("01 established 02 syn-sent 03 syn-received 04 fin-wait-1 05 fin-wait-2 06 time-wait 07 close 08 close-wait 09 last-ack 0A listen 0B closing", s, " ")
  read_table(net "/tcp", "tcp"); read_table(net "/tcp6", "tcp6"); read_table(net "/udp", "udp"); read_table(net "/udp6", "udp6")
  all = ""
  for (i = 1; i <= 22; i += 2) if (states[s[i]]) all = all (all == "" ? "" : ", ") states[s[i]] " " s[i + 1]
  print "# connections: " (all == "" ? "none" : all)
  for (i = 1; i <= n && i <= 100; i++) print "#  " what[i] " " where[i] (owner[inode[i]] ? " by " owner[inode[i]] : "") (waiting[i] ? ", " waiting[i] " wait to be accepted" : "")

  for (r in left) if (left[r] > most) { most = left[r]; at_most = r }
  total = states["08"] + 0
  if (total >= 20) {
    bad++
    print "not ok - " total " connections are in CLOSE_WAIT: the other side has closed them and the target has not, most of them to " at_most
    yaml("close-wait", total >= 50 ? "error" : "warn", "the target leaks connections: it does not close a socket, or an HTTP body, after use", "look in the code for connections or response bodies that are not closed", all "\n" most " to or from " at_most)
  }
  for (i = 1; i <= n; i++) if (waiting[i] >= 16 && what[i] ~ /^tcp/) {
    bad++
    print "not ok - " waiting[i] " connections wait at " where[i] " to be accepted"
    yaml("backlog/" ports[i], "warn", "the target does not accept connections as fast as they come: it hangs, is starved of CPU, or is out of file descriptors", "look at its threads, CPU and open files", what[i] " " where[i])
  }
  if (port != "" && !open[port]) {
    bad++
    if (onlyloop[port]) {
      print "not ok - port " port " is listened on at 127.0.0.1 (localhost) only: nothing outside of the pod reaches it"
      yaml("localhost/" port, "error", "the server binds to the loopback address", "let it listen on 0.0.0.0 or [::]", "expected: port " port " open to others")
    } else {
      print "not ok - nothing listens on port " port
      yaml("none/" port, "error", "the server did not start to listen, listens on another port, or runs elsewhere", "compare the port of the container with the configuration of its server", "listening: " n " sockets")
    }
  }
  if (port == "" && !bad) {
    for (p in open) others++
    for (p in onlyloop) { loops++; lp = p }
    if (loops && !others) {
      bad++
      print "not ok - the pod listens on 127.0.0.1 (localhost) only, port " lp (loops > 1 ? " and others" : "") ": nothing outside of it can connect"
      yaml("localhost/" lp, "warn", "the server binds to the loopback address", "let it listen on 0.0.0.0 or [::], unless no one shall reach it", "no TCP socket listens on another address")
    }
  }
  if (!bad) print "ok - " n + 0 " listening sockets"
}
