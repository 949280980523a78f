# What the groups of goroutines say, as test points. Input: what pprof.awk told. Variables: check, who, heap.

function shown(frame) { sub(/ /, " (", frame); return frame ")" }
# The first function of the program's own, for people.
function own(frames,   part, n, i, name) {
  n = split(frames, part, "|")
  for (i = 1; i <= n; i++) {
    name = part[i]
    sub(/ .*/, "", name)
    if (name !~ /^(runtime|sync|internal|net|time|syscall|os|bufio|io|crypto|encoding|database|context|golang\.org\/x)[.\/]/) return shown(part[i])
  }
  return shown(part[1])
}
function trail(frames,   part, n, i, text) { n = split(frames, part, "|"); for (i = 1; i <= n && i <= 8; i++) text = text (i > 1 ? " < " : "") shown(part[i]); return text }

{ gsub(/["\\#]/, "") }
$1 == "total" { total = $2 }
$1 == "group" {
  frames = $0
  sub(/^group [0-9]+ /, "", frames)
  if (frames == "-") next
  n++
  if (n <= 10) print "# " $2 (heap ? " bytes: " : " goroutines: ") trail(frames)
  if (heap) next
  if (frames ~ /(^|\|)sync\.(\(\*(RW)?Mutex\)\.(R?Lock|lockSlow)|runtime_Semacquire(RW)?Mutex)/) {
    locked += $2
    if ($2 > most_locked) { most_locked = $2; lock_place = own(frames) }
    locks = locks $2 " at " trail(frames) "\n"
  } else if ($2 > most && frames !~ /internal\/poll\.runtime_pollWait/) { most = $2; place = own(frames); path = trail(frames) }
  else if ($2 > most_network && frames ~ /internal\/poll\.runtime_pollWait/) { most_network = $2; network_place = own(frames); network_path = trail(frames) }
}

END {
  if (locked >= 20) finding("mutex", locked >= 100 ? "error" : "warn", locked " goroutines of " who " wait for a mutex, " most_locked " of them in " lock_place, "one goroutine keeps the mutex while it waits or works, or never unlocks it (deadlock)", "look for what holds the mutex, among the other stacks; unlock with defer, hold it only shortly", locks)
  if (most >= 1000) finding("goroutine-leak", "error", most " of " total " goroutines of " who " wait at one place, " place ": a goroutine leak", "they are started and what they wait for does not come: a channel that nobody reads, a missing timeout or cancel", "end them by a context or a buffered channel; compare with a profile taken later", path)
  else if (most >= 300) finding("goroutine-leak", "warn", most " of " total " goroutines of " who " wait at one place, " place, "a goroutine leak, or as many at work as there is work", "compare with a profile taken later: does their number grow?", path)
  if (most_network >= 10000) finding("connections", "warn", most_network " of " total " goroutines of " who " wait for the network in " network_place, "connections that are not closed, or without a timeout", "set timeouts for reading and idle connections", network_path)
  if (!bad) print "ok - " (heap ? total " bytes of the sampled heap of " who " are in use" : total " goroutines of " who ", at most " (most > most_locked ? most : most_locked) + 0 " at one place")
}
