# What a thread dump of HotSpot says, as test points. Variables: check, who.

function clean(text) { gsub(/[^ -~]/, "?", text); gsub(/["\\#]/, "", text); return substr(text, 1, 120) }
function finish_circle(   i, title, key) {
  if (!members) return
  key = ""
  for (i = 1; i <= members; i++) key = key "|" member[i]
  # Printed twice by some versions.
  if (!(key in circles)) {
    circles[key] = 1
    title = members " threads of " who " are deadlocked: "
    for (i = 1; i <= members && i <= 6; i++) title = title (i > 1 ? ", " : "") member[i] " waits for " held_by[i]
    deadlocks++
    circle_title[deadlocks] = title
  }
  members = 0
}

/^Found (one|[0-9]+) Java-level deadlock/ { part = "circle"; finish_circle(); next }
/^Java stack information for the threads listed above/ { finish_circle(); part = "stacks"; next }
/^Found [0-9]+ deadlock/ { part = ""; next }
part == "circle" {
  if (/^".*":/) { text = $0; sub(/":.*/, "", text); member[++members] = clean(substr(text, 2)) }
  else if (match($0, /held by "/)) { text = substr($0, RSTART + 9); sub(/".*/, "", text); held_by[members] = clean(text) }
  else if (/waiting (to lock|for ownable)/ && match($0, /, a [^)]*/)) { of[members] = substr($0, RSTART + 4, RLENGTH - 4) }
  next
}
part == "stacks" {
  if (/^".*":/) { text = $0; sub(/":.*/, "", text); stacks = stacks "thread " clean(substr(text, 2)) "\n"; frames = 0 }
  else if (/^\tat / && frames++ < 6) stacks = stacks "  " clean(substr($0, 2)) "\n"
  else if (/^\t- (waiting|locked|parking)/ && frames <= 6) { text = substr($0, 2); gsub(/[<>]/, "", text); stacks = stacks "    " clean(text) "\n" }
  next
}

/^"/ {
  name = $0
  sub(/^"/, "", name)
  sub(/"( #[0-9]+| daemon| prio=| os_prio=| tid=).*/, "", name)
  name = clean(name)
  threads++
  top = ""
  lock = ""
  next
}
/^ +java\.lang\.Thread\.State: / { state[$2]++; now = $2; next }
/^\tat / && top == "" { first[name] = top = clean(substr($0, 5)) }
/^\tat / && $2 !~ /^(java|jdk|sun)\./ && !(name in frame) { frame[name] = clean($2) }
/^\t- waiting to lock </ { lock = $0; sub(/.*</, "", lock); sub(/>.*/, "", lock); wanted[lock]++; kind_of[lock] = a_class($0); if (wanted[lock] <= 12) waiter[lock] = waiter[lock] name "\n" }
# Idle threads of a pool park on a condition, not on the lock itself.
/^\t- parking to wait for +</ && /(ReentrantLock|ReentrantReadWriteLock)\$/ { lock = $0; sub(/.*</, "", lock); sub(/>.*/, "", lock); wanted[lock]++; kind_of[lock] = a_class($0); if (wanted[lock] <= 12) waiter[lock] = waiter[lock] name "\n" }
/^\t- locked </ { lock = $0; sub(/.*</, "", lock); sub(/>.*/, "", lock); if (!((lock "|" name) in resting)) holder[lock] = name }
# Object.wait gives the monitor back.
/^\t- waiting on </ { lock = $0; sub(/.*</, "", lock); sub(/>.*/, "", lock); resting[lock "|" name] = 1 }
/^\t- </ { lock = $0; sub(/.*</, "", lock); sub(/>.*/, "", lock); holder[lock] = name }

function a_class(text) { if (!match(text, /\(a [^)]*/)) return "a lock"; return clean(substr(text, RSTART + 3, RLENGTH - 3)) }
# Where a thread is: in its own code if there is some.
function where(name) { return name in frame ? frame[name] : first[name] }

END {
  finish_circle()
  for (i = 1; i <= deadlocks; i++)
    finding("deadlock", "error", circle_title[i], "the threads take the same locks in different orders", "take the locks in one order everywhere, or with tryLock and a limit of time; only a restart helps now", stacks)
  if (!deadlocks) for (lock in wanted) if (wanted[lock] >= 5) {
    title = wanted[lock] " threads of " who " wait for one lock (" kind_of[lock] ")"
    n = split(waiter[lock], waits, "\n")
    evidence = ""
    for (i = 1; i < n; i++) evidence = evidence "thread " waits[i] " in " where(waits[i]) "\n"
    if (lock in holder) title = title ", which thread " holder[lock] " holds in " where(holder[lock])
    finding("lock-held", wanted[lock] >= 10 ? "error" : "warn", title, "the thread waits or works long while it holds the lock", "look at what it does meanwhile; hold the lock only for what needs it", evidence)
  }
  all = ""
  for (one in state) all = all (all == "" ? "" : ", ") state[one] " " tolower(one)
  print "# threads of Java: " (all == "" ? "none" : all)
  if (!bad) print "ok - no thread of " who " is deadlocked" (all == "" ? "" : ": " all)
}
