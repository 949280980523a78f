# What is the matter with connections, from what sockets.awk has read; with finding.awk. Variable: names, "ADDRESS=NAME …" of peers.

# A peer with the name that the cluster's DNS has for its address.
function called(to,   list, i, ip) {
  ip = to
  sub(/:[0-9]+$/, "", ip)
  i = split(names, list, " ")
  for (; i > 0; i--) if (index(list[i], ip "=") == 1) return to " (" substr(list[i], length(ip) + 2) ")"
  return to
}
# A peer in an id, which is to be the same after its next start: by the Service that has its address, else its port alone.
function lasting(to,   name, part, count) {
  name = called(to)
  if (!sub(/^.*:/, "", to) || to ~ /\]$/) to = "clients"
  if (!sub(/^.* \(/, "", name) || !sub(/\.svc\..*$/, "", name)) return to
  # Before the name of a headless Service stands that of the pod.
  count = split(name, part, ".")
  return count < 2 ? to : part[count - 1] "." part[count] ":" to
}
function sized(of) { return of < 1024 ? of " bytes" : int(of / 1024) " KiB" }
function counted(number_of) { return number_of " connection" (number_of == 1 ? "" : "s") }
function mostly() { return most < total ? ", most of them (" most ")" : "" }

function judge_connections(   range, whose) {
  gather("left")
  # Those of a sidecar stand in the same table.
  whose = left_here * 2 >= total ? "the target" : "the pod"
  # A pool is small, and used up by so many answers that nobody reads.
  if (total >= 20 || left_unread >= 5)
    finding("close-wait", total >= 50 ? "error" : "warn", total " connections are in CLOSE_WAIT: the other side has closed them and " whose " has not, most of them to " called(at_most), \
      whose " leaks connections: it does not close a socket, or an HTTP body, after use", "look in the code for connections or response bodies that are not closed", all "\n" most " to or from " called(at_most) (left_unread ? "\nanswers that nobody has read for a second: " left_unread (left_unread < total ? " or more" : "") : ""))
  range = high - low + 1
  if (gather("ports") && most * 100 >= range * 80)
    finding("local-ports", most * 100 >= range * 95 ? "error" : "warn", most " of the " range " local (ephemeral) ports are taken by connections to " called(at_most) ": new ones " (most * 100 >= range * 95 ? "fail" : "will fail"), \
      "each request opens a connection of its own, or connections are never closed", "use keep-alive or a pool of connections; look at net.ipv4.ip_local_port_range", all "\nports " low " to " high)
  if (gather("stuck"))
    finding("syn-sent/" lasting(at_most), "warn", counted(total) " that the pod opens wait" (total == 1 ? "s" : "") " for an answer" mostly() " to " called(at_most) ": its packets are dropped on the way, or the peer is gone or overloaded (SYN_SENT)", \
      "a firewall or network policy drops the packets, no host has this address, or the accept queue of the peer is full", "tcp=HOST:PORT tries it; look at network policies and at the endpoints of the service", all)
  if (gather("lost"))
    finding("unacknowledged/" lasting(at_most), "warn", counted(total) " with data that is sent again and again and not acknowledged" mostly() " with " called(at_most) ": packets are lost, or the peer is gone", \
      "the peer is gone without a word, a firewall has dropped the connection, or packets of this size are lost on the way (MTU)", "mtu=HOST:PORT tells whether only large packets are lost; look at the peer's pod and node", all)
  if (gather("unread there"))
    finding("peer-does-not-read/" lasting(at_most), "warn", "the peer does not read: " counted(total) " with a full send queue, " int(bytes["unread there"] / 1024) " KiB wait" mostly() " for " called(at_most) " (its receive window is closed)", \
      "the process on the other side hangs, is overloaded, or is stopped", "look at the process behind this address", all)
  if (gather("unread here") && (bulky || total >= 5 || given_up >= 3)) judge_unread()
}
function judge_unread(   port, best, at) {
  for (port in served) if (served[port] > best) { best = served[port]; at = port }
  finding("does-not-read" (at ? "/" at : ""), "warn", "the target does not read from " counted(total) (at ? " at its port " at : " with " called(at_most)) ": " sized(bytes["unread here"]) " wait in its receive queue" (total == 1 ? "" : "s") ", nothing was read for a second" (given_up ? "; " given_up " of their clients ha" (given_up == 1 ? "s" : "ve") " given up" : ""), \
    "its process hangs, is overloaded, is stopped, or has forgotten these connections", "look at its threads and CPU", all "\n" most " with " called(at_most))
}

# What is worth a second look: "peer ADDRESS" wants a name, "before INODE BYTES" another reading a second later.
function look(   key, i, many, big, closed, left, unread) {
  left = gather("left")
  unread = left < 20 && left_seen >= 5
  if (left >= 20 || unread) print "peer " at_most
  if (gather("ports") * 100 >= (high - low + 1) * 80) print "peer " at_most
  if (gather("stuck")) print "peer " at_most
  if (gather("lost")) print "peer " at_most
  if (gather("unread there")) print "peer " at_most
  for (key in waits) {
    if (key ~ /^there/) closed++
    else if (key !~ /^left/) { many++; if (waits[key] >= 65536) big++ }
  }
  many = closed || big || many >= 5 || given_up_seen >= 3
  for (key in waits) if ((key ~ /^left/ ? unread : many) && i++ < 200) print "before " key " " waits[key]
  if (overflows) for (i = 1; i <= n; i++) if (waiting[i] >= 1 && waiting[i] < 16) print "before listen" inode[i] " " waiting[i]
}

function show_peers(   key, part, told) {
  for (key in peers) {
    split(key, part, SUBSEP)
    if (part[1] == "with" && told++ < 20) print "#  " peers[key] " established to " readable(part[2])
  }
}
