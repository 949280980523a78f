# The kernel's counters of the pod's network, since it was made. Variables: net (/proc/PID/net), sysctl (/proc/sys/net), class
# (/sys/class/net), check. Each finding takes a count and a share: what is rare is only shown. Of losses that may be long ago the first time,
# with looking=1, prints "again NAME COUNT"; the next time, with before="NAME COUNT …", they are findings if they go on or are very many.

# snmp and netstat: a line of names, then one of values.
function read_pairs(file,   names, values, n, i, key) {
  while ((getline names < file) > 0 && (getline values < file) > 0) {
    n = split(names, name, " ")
    split(values, value, " ")
    key = name[1]
    sub(/:$/, "", key)
    for (i = 2; i <= n; i++) count[key, name[i]] = value[i] + 0
  }
  close(file)
}
function tcp(name) { return count["Tcp", name] + 0 }
function ext(name) { return count["TcpExt", name] + 0 }
function first_line(file,   text) {
  text = ""
  getline text < file
  close(file)
  return text
}
function percent(part, whole) { return whole > 0 ? sprintf("%.1f", part * 100 / whole) : "0.0" }
# True if the part is at least that many, and that share of the whole in percent.
function much(part, least, whole, share) { return part >= least && part * 100 >= share * whole }

# True of a loss that is to be told.
function goes_on(name, part, very_many) {
  if (looking) { print "again " name " " part; return 0 }
  return very_many || part > seen_before(name) || in_trouble()
}
function seen_before(name,   list, i) {
  for (i = split(before, list, " ") - 1; i > 0; i -= 2) if (list[i] == name) return list[i + 1] + 0
  return 0
}
# How many connections wait now for the answer to a SYN, or to what was sent again.
function in_trouble() { return sent_again(net "/tcp") + sent_again(net "/tcp6") }
function sent_again(file,   text, f, sum) {
  sum = 0
  while ((getline text < file) > 0) { split(text, f, " "); if (f[4] ~ /^0[12]$/ && f[6] ~ /^01/ && f[7] !~ /^0+$/) sum++ }
  close(file)
  return sum
}

function judge_tcp(   dropped, opened, again, resent) {
  print "# tcp: opened " tcp("ActiveOpens") ", taken " tcp("PassiveOpens") ", failed to open " tcp("AttemptFails") ", reset " tcp("EstabResets") ", sent " tcp("OutSegs") " segments, again " tcp("RetransSegs") ", SYN again " ext("TCPSynRetrans") ", timeouts " ext("TCPTimeouts")
  print "# tcp: dropped by full accept queues " ext("ListenOverflows") ", by full SYN queues " ext("TCPReqQFullDrop") ", by full receive buffers " ext("RcvPruned") + ext("TCPRcvQDrop") ", for lack of memory " ext("TCPAbortOnMemory")
  dropped = ext("ListenOverflows")
  if (much(dropped, 10, tcp("PassiveOpens") + dropped, 1))
    finding("listen-overflows", "warn", "a server in this pod does not accept connections fast enough: " dropped " times its accept queue (backlog) was full and a connection was dropped, " tcp("PassiveOpens") " were taken", \
      "the server hangs, is starved of CPU, or its backlog is small", "look at which port connections wait (listening), at the server's threads and CPU", "ListenOverflows " dropped ", ListenDrops " ext("ListenDrops") ", PassiveOpens " tcp("PassiveOpens"))
  again = ext("TCPSynRetrans")
  opened = tcp("ActiveOpens")
  # Probes of a closed window count as sent again, too: they say that a peer does not read, not that a packet was lost.
  resent = tcp("RetransSegs") - again - ext("TCPWinProbe")
  if (much(resent, 50, tcp("OutSegs"), 3)) {
    if (goes_on("retransmits", resent, much(resent, 200, tcp("OutSegs"), 10))) finding("retransmits", "warn", "packets are lost: " resent " of " tcp("OutSegs") " TCP segments (" percent(resent, tcp("OutSegs")) " %) had to be sent again (retransmits)", \
      "an overloaded or faulty link, a firewall that drops, packets too large for the path (MTU), or a peer that is gone", "compare with other pods on the node, and with the peers' nodes", "RetransSegs " tcp("RetransSegs") ", of them SYN " again "; OutSegs " tcp("OutSegs") ", TCPTimeouts " ext("TCPTimeouts") ", TCPLostRetransmit " ext("TCPLostRetransmit"))
  # Where packets are lost, SYN are, too.
  } else if (much(again, 10, opened, 20) && goes_on("unanswered", again, much(again, 100, opened, 50)))
    finding("unanswered", "warn", "connections that this pod opens are not answered: SYN had to be sent again " again " times for " opened " connections", \
      "a firewall or network policy drops the packets, the peer is gone, or its accept queue is full", "look at which peer does not answer (SYN_SENT in listening), at network policies", "TCPSynRetrans " again ", ActiveOpens " opened ", AttemptFails " tcp("AttemptFails"))
}

function judge_udp(   lost, taken, where) {
  lost = count["Udp", "RcvbufErrors"] + count["Udp6", "RcvbufErrors"]
  taken = count["Udp", "InDatagrams"] + count["Udp6", "InDatagrams"]
  where = drops_by_port(net "/udp") drops_by_port(net "/udp6")
  print "# udp: received " taken ", sent " count["Udp", "OutDatagrams"] + count["Udp6", "OutDatagrams"] ", to no port " count["Udp", "NoPorts"] + count["Udp6", "NoPorts"] ", dropped by full receive buffers " lost
  if (much(lost, 50, taken + lost, 1))
    finding("udp-drops", "warn", "a server in this pod does not read its UDP datagrams in time: " lost " were dropped (receive buffer full), " taken " were received" (worst ? ", most at port " worst : ""), \
      "the server hangs, is starved of CPU, or its receive buffer is small for bursts", "look at the server's threads and CPU, and at its SO_RCVBUF", "RcvbufErrors " lost ", InDatagrams " taken where)
}
# The last column counts what was dropped at each socket; $worst becomes the port with the most.
function drops_by_port(file,   text, f, n, port, out) {
  out = ""
  if ((getline text < file) <= 0) return ""
  while ((getline text < file) > 0) {
    n = split(text, f, " ")
    if (f[n] + 0 < 1) continue
    port = number(substr(f[2], index(f[2], ":") + 1))
    out = out "\nUDP port " port ": " f[n] " dropped"
    if (f[n] + 0 > most) { most = f[n] + 0; worst = port }
  }
  close(file)
  return out
}

function judge_interfaces(   file, text, f, name, mtu, at) {
  file = net "/dev"
  while ((getline text < file) > 0) {
    if (!(at = index(text, ":"))) continue
    name = substr(text, 1, at - 1)
    gsub(/[^A-Za-z0-9._-]/, "", name)
    split(substr(text, at + 1), f, " ")
    mtu = first_line(class "/" name "/mtu")
    print "# interface " name ": MTU " (mtu == "" ? "not known" : mtu) ", received " f[2] " packets, " f[3] " errors, " f[4] " dropped; sent " f[10] " packets, " f[11] " errors, " f[12] " dropped"
    if (name == "lo") continue
    if (much(f[3] + f[11] + f[14] + f[15], 100, f[2] + f[10], 1))
      finding("interface-errors/" name, "warn", "interface " name " has errors: " f[3] " of " f[2] " packets received, " f[11] + f[14] + f[15] " of " f[10] " sent", "a faulty link, driver or cable below it", "look at the node's own interfaces, and move the pod to another node", text)
    # Packets of protocols that nobody here speaks count as dropped, too: some are normal.
    if ((much(f[4], 500, f[2], 10) || much(f[12], 100, f[10], 5)) && goes_on("drops/" name, f[4] + f[12], much(f[4], 2000, f[2], 20) || much(f[12], 500, f[10], 10)))
      finding("interface-drops/" name, "warn", "interface " name " drops packets: " f[4] " of " f[2] " received, " f[12] " of " f[10] " sent", "packets larger than its MTU, queues that are full, or a node without CPU for its network", "compare the MTU of the interface with its peers'; look at the node's load", text)
    if (mtu != "" && mtu + 0 < 1280)
      finding("mtu/" name, "warn", "interface " name " has an MTU of " mtu ": packets of a usual size do not fit", "the network plugin or a container has set it; IPv6 needs 1280, and what peers send in one piece is lost where no one tells them", "compare with the MTU of other pods and of the node", text)
  }
  close(file)
}

function judge_path(   failed, file, six, text, f) {
  failed = count["Ip", "FragFails"] + count["Ip6", "FragFails"]
  if (failed >= 10) finding("too-large", "warn", failed " packets were too large for their path (MTU) and could not be sent in pieces", "the MTU of the pod is larger than that of the path, as of a tunnel or VPN", "compare the pod's MTU with that of the node's tunnel; mtu=HOST tries it", "FragFails " failed)
  file = net "/if_inet6"
  six = 0
  while ((getline text < file) > 0) { split(text, f, " "); if (f[4] == "00" && f[6] != "lo") six++ }
  close(file)
  print "# IPv6: " (six ? six " address" (six > 1 ? "es" : "") : "none") "; packets without a route " count["Ip", "OutNoRoutes"] + count["Ip6", "OutNoRoutes"] ", too large for their path " failed
}

function judge_conntrack(   used, most_entries, file, text, f, n, i, column, dropped, failed) {
  used = first_line(sysctl "/netfilter/nf_conntrack_count")
  most_entries = first_line(sysctl "/netfilter/nf_conntrack_max")
  if (used == "" || most_entries + 0 < 1) return
  file = net "/stat/nf_conntrack"
  while ((getline text < file) > 0) {
    n = split(text, f, " ")
    if (!(1 in column)) { for (i = 1; i <= n; i++) column[i] = f[i]; continue }
    for (i = 1; i <= n; i++) {
      if (column[i] == "drop" || column[i] == "early_drop") dropped += number(f[i])
      if (column[i] == "insert_failed") failed += number(f[i])
    }
  }
  close(file)
  print "# conntrack: " used " of " most_entries " entries, dropped " dropped + 0 ", not inserted " failed + 0
  if (much(used, 1, most_entries, 90) || dropped >= 10)
    finding("conntrack", "warn", "the table of tracked connections (conntrack) is " (used * 10 >= most_entries * 9 ? "nearly full" : "or was full") ": " used " of " most_entries " entries, " dropped + 0 " packets dropped for it", "more connections than the node is set up for, or many that are never closed", "look at nf_conntrack_max on the node, and at who opens that many connections", "count " used ", max " most_entries ", drop and early_drop " dropped + 0 ", insert_failed " failed + 0)
}

BEGIN {
  read_pairs(net "/snmp")
  read_pairs(net "/netstat")
  read_six(net "/snmp6")
  judge_tcp()
  judge_udp()
  judge_interfaces()
  judge_path()
  judge_conntrack()
  if (!bad) print "ok - counters of the network show no loss: " tcp("RetransSegs") " of " tcp("OutSegs") " TCP segments sent again"
}
# snmp6: a name and a value a line; TCP counts both families in snmp.
function read_six(file,   text, f) {
  while ((getline text < file) > 0) {
    split(text, f, " ")
    if (sub(/^Udp6/, "", f[1])) count["Udp6", f[1]] = f[2] + 0
    else if (sub(/^Ip6/, "", f[1])) count["Ip6", f[1]] = f[2] + 0
  }
  close(file)
}
