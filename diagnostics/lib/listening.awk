# What listens, and what is the matter with connections. With finding.awk, hexadecimal.awk, sockets.awk and connections.awk. Variables: net
# (the directory of the tables), port (expected to be open to others, or empty), sysctl (/proc/sys/net), check. The first time, with
# looking=1, it only says what is worth a second look, if anything; the second reads on its input what that was.

# Input: "process PID NAME", then its open files as ls -ln shows them, "hidden" for one whose files
# are not seen; and what was worth a second look.
$1 == "before" { before[$2] = $3; next }
$1 == "hidden" { hidden = 1; next }
$1 == "process" { seen_process = 1; who = $2 " (" substr($0, length($1 $2) + 3) ")"; next }
match($0, /socket:\[[0-9]+\]$/) { owner[substr($0, RSTART + 8, RLENGTH - 9)] = who }

function read_overflows(   head, values, name, value, i, count) {
  while ((getline head < (net "/netstat")) > 0 && (getline values < (net "/netstat")) > 0) {
    count = split(head, name, " ")
    split(values, value, " ")
    for (i = 2; i <= count; i++) if (name[i] == "ListenOverflows") overflows = value[i] + 0
  }
  close(net "/netstat")
}
function read_tables(   text, bounds) {
  # In one piece, as awk reads: a shell's `read` would get but the first byte of it.
  text = ""
  getline text < (sysctl "/ipv4/ip_local_port_range")
  split(text, bounds, " ")
  low = bounds[1] ? bounds[1] : 32768
  high = bounds[2] ? bounds[2] : 60999
  read_overflows()
  read_tcp(net "/tcp", "tcp"); read_tcp(net "/tcp6", "tcp6"); read_udp(net "/udp", "udp"); read_udp(net "/udp6", "udp6")
}
function show(   s, i) {
  split("01 established 02 syn-sent 03 syn-received 04 fin-wait-1 05 fin-wait-2 06 time-wait 07 close 08 close-wait 09 last-ack 0A listen 0B closing", s, " ")
  all = ""
  for (i = 1; i <= 22; i += 2) if (states[s[i]]) all = all (all == "" ? "" : ", ") states[s[i]] " " s[i + 1]
  print "# connections: " (all == "" ? "none" : all)
  for (i = 1; i <= n && i <= 100; i++) print "#  " what[i] " " where[i] ((inode[i] in owner) ? " by " owner[inode[i]] : "") (waiting[i] ? ", " waiting[i] " wait to be accepted" : "")
}
# Many wait; or some still do after a second, where others have been dropped before.
function judge_backlog(   i) {
  for (i = 1; i <= n; i++) {
    if (waiting[i] >= 16 || waiting[i] >= 1 && before["listen" inode[i]] && waiting[i] >= before["listen" inode[i]])
      finding("backlog/" ports[i], "warn", waiting[i] " connection" (waiting[i] == 1 ? " waits" : "s wait") " at " where[i] " to be accepted" (overflows ? ": its queue (backlog) was full, others were dropped" : ""), \
        "the target does not accept connections as fast as they come: it hangs, is starved of CPU, or is out of file descriptors", "look at its threads, CPU and open files", what[i] " " where[i] (overflows ? "\ndropped by full queues since the pod began: " overflows : ""))
  }
}
function judge_expected_port() {
  if (open[port]) return
  if (onlyloop[port])
    finding("localhost/" port, "error", "port " port " is listened on at 127.0.0.1 (localhost) only: nothing outside of the pod reaches it", \
      "the server binds to the loopback address", "let it listen on 0.0.0.0 or [::]", "expected: port " port " open to others")
  else
    finding("none/" port, "error", "nothing listens on port " port, \
      "the server did not start to listen, listens on another port, or runs elsewhere", "compare the port of the container with the configuration of its server", "listening: " n + 0 " sockets")
}
# The socket may be that of a sidecar, which is meant so: where all open files of the target are seen, only its own counts.
function judge_loopback(   p, i, others, loops, last) {
  for (p in open) others += open[p]
  for (i = 1; i <= n; i++)
    if (what[i] ~ /^tcp/ && (ports[i] in onlyloop) && (!seen_process || hidden || inode[i] in owner)) { loops++; last = ports[i] }
  if (loops && !others)
    finding("localhost/" last, "warn", "the pod listens on 127.0.0.1 (localhost) only, port " last (loops > 1 ? " and others" : "") ": nothing outside of it can connect", \
      "the server binds to the loopback address", "let it listen on 0.0.0.0 or [::], unless no one shall reach it", "no TCP socket listens on another address")
}

END {
  read_tables()
  if (looking) { look(); exit }
  show()
  show_peers()
  judge_connections()
  judge_backlog()
  if (port != "") judge_expected_port()
  else if (!bad) judge_loopback()
  if (!bad) print "ok - " n + 0 " listening sockets"
}
