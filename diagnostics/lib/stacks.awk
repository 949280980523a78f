# Stacks of threads, as comments, and what they say of those that hang. Input: what two looks found (see threads.awk), a line "stacks", then what
# gdb or py-spy printed. Variables: check, pid, who, tool ("gdb" or "py-spy"). Of a frame its function, file and line; no arguments.

function clean(text) { gsub(/[^ -~]/, "?", text); gsub(/["\\#]/, "", text); return substr(text, 1, 120) }
function begin_thread(id, title) { tid = id; if (!(tid in name)) { order[++threads] = tid; name[tid] = clean(title) } frames = 0 }
function frame(text) {
  if (++frames > 20) return
  text = clean(text)
  stack[tid] = stack[tid] (frames > 1 ? " < " : "") text
  # Where it is, for people: the first function that is not one for waiting.
  if (!(tid in place) && text !~ waiting) place[tid] = text
  if (frames == 1) top[tid] = text
}
function called(id) { return id " (" name[id] ")" (id in place ? " in " place[id] : "") }

BEGIN {
  if (tool == "gdb") waiting = "^(\\?\\?|_*(GI_+)?(lll_|futex|pthread_|clock_nanosleep|nanosleep|syscall|lll_mutex|libc_|poll|epoll|read|accept|select)|_*GI_|std::(mutex|unique_lock|lock_guard|__condvar|condition_variable)|__gthread_)"
  else waiting = " \\((threading|queue|thread|selectors|socket|connection|process|pool|subprocess|base_events|signal)\\.py:[0-9]+\\)$"
}
$0 == "stacks" && !looked { looked = 1; next }
!looked && $2 == pid && $1 == "cycle" { for (i = 3; i <= NF; i++) circle[++members] = $i; next }
!looked && $2 == pid && $1 == "waits" { held_up[$3] = 1; next }
!looked && $2 == pid && $1 == "spins" { busy[$3] = $4; next }
!looked { next }

tool == "gdb" && /^Thread [0-9]+ \(/ {
  id = 0
  title = ""
  if (match($0, /(LWP|process) [0-9]+/)) { id = substr($0, RSTART, RLENGTH); sub(/.* /, "", id) }
  if (match($0, /"[^"]*"/)) title = substr($0, RSTART + 1, RLENGTH - 2)
  begin_thread(id, title)
  next
}
tool == "gdb" && /^#[0-9]+ / {
  text = $0
  sub(/^#[0-9]+ +(0x[0-9a-f]+ in )?/, "", text)
  file = ""
  if (match(text, /\) at .*$/)) { file = substr(text, RSTART + 5); sub(/.*\//, "", file) }
  sub(/ \(.*$/, "", text)
  frame(text (file == "" ? "" : " (" file ")"))
  next
}
tool == "py-spy" && /^Thread (0x)?[0-9A-Fa-f]+ \(/ {
  title = ""
  if (match($0, /: ".*"$/)) title = substr($0, RSTART + 3, RLENGTH - 4)
  begin_thread($2, title)
  if ($3 ~ /gil/) interpreter[tid] = 1
  next
}
tool == "py-spy" && /^    [^ ]/ { frame(substr($0, 5)) }

END {
  for (i = 1; i <= threads && i <= 40; i++) print "# thread " order[i] " (" name[order[i]] "): " substr(stack[order[i]], 1, 1500)
  if (threads > 40) print "# and " threads - 40 " more threads"
  if (members) {
    title = members == 1 ? "a thread of " who " waits for a mutex that it holds itself: " : members " threads of " who " are deadlocked, each waits for a mutex that the next holds: "
    for (i = 1; i <= members; i++) { title = title (i > 1 ? ", " : "") called(circle[i]); evidence = evidence "thread " called(circle[i]) "\n  " stack[circle[i]] "\n" }
    finding("deadlock", "error", title, "the threads lock the same mutexes in different orders, or one locks twice", "lock in one order everywhere; only a restart helps now", evidence)
  }
  for (i = 1; i <= threads && tool == "py-spy"; i++) {
    tid = order[i]
    # In its own code at a lock, and not where idle threads wait for work.
    if ((tid in held_up) && top[tid] !~ waiting) { locked++; list = list (locked > 1 ? ", " : "") name[tid] " in " top[tid]; facts = facts "thread " tid " (" name[tid] "): " stack[tid] "\n" }
  }
  if (locked) finding("lock-wait", locked > 1 ? "error" : "warn", (locked > 1 ? locked " threads" : "a thread") " of " who (locked > 1 ? " wait for locks that are" : " waits for a lock that is") " not given back: " list, locked > 1 ? "they wait for each other (deadlock), or for one that keeps the lock" : "another thread keeps the lock", "take locks in one order everywhere, and do not wait for something else while one holds a lock", facts)
  for (i = 1; i <= threads; i++) {
    tid = order[i]
    if (tid in busy) finding("busy", "warn", "thread " called(tid) " of " who " is busy without a pause" (tid in interpreter ? " and keeps the interpreter's lock (GIL): no other thread runs" : ""), "a loop or a computation that takes long", "look at the function; split its work or move it elsewhere", "thread " tid ", " busy[tid] " % of a core: " stack[tid])
  }
  if (!threads) print "ok - stacks of " who " # SKIP " tool " showed none"
  else if (!bad) print "ok - stacks of " threads " threads of " who
}
