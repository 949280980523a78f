# Reads the kernel's tables of TCP and UDP sockets; with hexadecimal.awk. What is kept grows with the number of peers and listening sockets,
# not with that of connections. Variable: shared, where only sockets count whose inode is in `owner`.
#
#   n, where[i] what[i] inode[i] ports[i] waiting[i]   sockets that listen, and connections that wait to be accepted
#   states[CODE]                                       connections by state, as in the table
#   peers["MATTER", PEER]                              connections by what is the matter with them, see sort(); PEER as in the table,
#                                                      of connections that a socket here took without its port
#   left_here                                          of those under "left" the ones whose inode is in `owner`
#   left_unread                                        of those under "left", up to 20 of our own making whose answer nobody has read for a second
#   given_up                                           of those under "unread here" the ones that the client has closed

# Listening sockets come first in the table, so that it is known which connections they took.
function read_tcp(file, kind,   text, f, local) {
  if ((getline text < file) <= 0) return
  while ((getline text < file) > 0) {
    sub(/^ +/, "", text)
    split(text, f, / +/)
    if (shared && !(f[10] in owner)) continue
    states[f[4]]++
    if (f[4] == "0A") listens(kind, f, number(substr(f[5], index(f[5], ":") + 1)))
    else {
      local = number(substr(f[2], index(f[2], ":") + 1))
      sort(f, local, (local in open) || (local in onlyloop))
    }
  }
  close(file)
}
function read_udp(file, kind,   text, f) {
  if ((getline text < file) <= 0) return
  while ((getline text < file) > 0) {
    sub(/^ +/, "", text)
    split(text, f, / +/)
    if (f[4] == "07" && (!shared || f[10] in owner)) listens(kind, f, 0)
  }
  close(file)
}
function listens(kind, f, queue) {
  n++
  where[n] = endpoint(f[2])
  what[n] = kind
  inode[n] = f[10]
  ports[n] = where[n]
  sub(/.*:/, "", ports[n])
  if (kind !~ /^tcp/) return
  waiting[n] = queue
  if (where[n] ~ /^(127\.|\[::1\])/) onlyloop[ports[n]]++
  else open[ports[n]]++
}

# Notes under "left" what the peer has closed and we have not, "stuck" what waits for the answer to its SYN, "lost" sent data that no one
# acknowledges, "unread there" data for which the peer has no room, "unread here" data that waits for our process, "ports" who takes up
# the local ports for outgoing connections, "with" outgoing connections that are established. `taken`: by a socket that listens here.
function sort(f, local, taken,   to, queues, kept) {
  to = f[3]
  # Clients of one server have a port each, which says nothing.
  if (taken) sub(/:.*/, "", to)
  split(f[5], queues, ":")
  if (!taken && local >= low && local <= high) peers["ports", to]++
  if (f[4] == "08") {
    peers["left", to]++
    if (f[10] in owner) left_here++
    # Its end alone counts as one byte: so it is with connections that a pool keeps and the peer has closed.
    kept = f[10] + 0 ? number(queues[2]) - 1 : 0
    if (kept > 0 && taken) {
      given_up_seen++
      if (still("here" f[10], kept)) { given_up++; served[local]++; note("unread here", to, kept) }
    } else if (kept > 0 && left_seen < 20) {
      left_seen++
      if (still("left" f[10], kept)) left_unread++
    }
  }
  else if (f[4] == "02" && number(f[7]) > 0) peers["stuck", to]++
  else if (f[4] == "01") {
    if (!taken) peers["with", to]++
    # The timer: 1 to send again, here at least three times without success, for over a second; 4 to probe a closed window.
    if (f[6] ~ /^01/ && number(f[7]) >= 3) peers["lost", to]++
    else if (f[6] ~ /^04/ && (still("there" f[10], number(queues[1])) || looking)) note("unread there", to, number(queues[1]))
    kept = number(queues[2])
    # Without an inode it was not accepted yet, and waits for that.
    if (kept > 0 && f[10] + 0 && (taken || kept >= 65536) && still("here" f[10], kept)) {
      if (kept >= 65536) bulky++
      if (taken) served[local]++
      note("unread here", to, kept)
    }
  }
}
function note(matter, to, size) { peers[matter, to]++; bytes[matter] += size }
# True if as much, or more, waited there a second ago: nothing was taken meanwhile. The first time, remembers it.
function still(which, size) {
  if (looking) { waits[which] = size; return 0 }
  return (which in before) && size >= before[which]
}

# $total becomes the connections with that the matter, $most those with the peer that has most of them, $at_most that one.
function gather(matter,   key, part) {
  total = most = 0
  at_most = ""
  for (key in peers) {
    split(key, part, SUBSEP)
    if (part[1] != matter) continue
    total += peers[key]
    if (peers[key] > most) { most = peers[key]; at_most = part[2] }
  }
  at_most = readable(at_most)
  return total
}
function readable(peer) { return peer ~ /:/ ? endpoint(peer) : peer == "" ? "" : address(peer) }
