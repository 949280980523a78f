# The target's processes, one a line: pid state parent uid gid rss-KiB threads fd-table-size open-files-limit name (last: it may hold blanks).
# With the variable more=1 each stands below its parent, and between the limit and the name there are: tracer (a PID, 0: none), limit of
# processes of its user, depth in the tree.
# Input: directories of /proc, one a line; variables: proc, target, more. The target's are those in its cgroup; where that is our own as well
# (outside of a container), the target and its descendants.

function cgroup(dir,   text, all) {
  all = ""
  while ((getline text < (dir "/cgroup")) > 0) all = all text "\n"
  close(dir "/cgroup")
  return all
}

BEGIN { theirs = cgroup(proc "/" target) }

function describe(pid, depth,   dir, text, f, comm, state, uid, gid, rss, threads, size, limit, tracer, most) {
  dir = proc "/" pid
  comm = state = ""
  uid = gid = rss = threads = size = tracer = 0
  limit = most = "-"
  while ((getline text < (dir "/status")) > 0) {
    split(text, f, /[ \t]+/)
    if (f[1] == "Name:") { comm = text; sub(/^Name:[ \t]*/, "", comm); gsub(/[^ -~]/, "?", comm) }
    else if (f[1] == "State:") state = f[2]
    else if (f[1] == "TracerPid:") tracer = f[2]
    else if (f[1] == "Uid:") uid = f[3]
    else if (f[1] == "Gid:") gid = f[3]
    else if (f[1] == "VmRSS:") rss = f[2]
    else if (f[1] == "Threads:") threads = f[2]
    else if (f[1] == "FDSize:") size = f[2]
  }
  close(dir "/status")
  if (state == "") return
  while (state != "Z" && (getline text < (dir "/limits")) > 0) {
    split(text, f, /[ \t]+/)
    if (text ~ /^Max open files/) limit = f[4]
    else if (text ~ /^Max processes/) most = f[3]
  }
  close(dir "/limits")
  print pid, state, parent[pid], uid, gid, rss, threads, size, limit, more ? tracer " " most " " depth " " comm : comm
}

# A process, and what descends from it; each once.
function tree(pid, depth,   child, n, i) {
  if (pid in told) return
  told[pid] = 1
  describe(pid, depth)
  n = split(children[pid], child, " ")
  for (i = 1; i <= n; i++) tree(child[i], depth + 1)
}

{
  pid = $0
  sub(/.*\//, "", pid)
  file = $0 "/stat"
  if ((getline text < file) > 0) {
    sub(/.*\) /, "", text)
    split(text, field, " ")
    parent[pid] = field[2]
    dead[pid] = field[1] == "Z"
    order[++n] = pid
    alike[pid] = cgroup($0) == theirs
  }
  close(file)
}

END {
  ours = theirs == cgroup(proc "/self")
  for (i = 1; i <= n && shown < 1000; i++) {
    pid = order[i]
    if (!ours) {
      # A zombie has left its cgroup already.
      belongs = alike[pid] || dead[pid] && parent[pid] in alike && alike[parent[pid]]
    } else {
      for (up = pid; up != target && up > 1 && up in parent; ) up = parent[up]
      belongs = up == target
    }
    if (belongs) { list[++shown] = pid; inside[pid] = 1 }
  }
  if (!more) { for (i = 1; i <= shown; i++) describe(list[i]); exit }
  for (i = 1; i <= shown; i++) if (parent[list[i]] in inside && parent[list[i]] != list[i]) children[parent[list[i]]] = children[parent[list[i]]] " " list[i]
  for (i = 1; i <= shown; i++) if (!(parent[list[i]] in inside)) tree(list[i], 0)
  for (i = 1; i <= shown; i++) tree(list[i], 0)
}
