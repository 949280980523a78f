# The target's processes, one a line: pid state parent uid gid rss-KiB threads fd-table-size open-files-limit name (last: it may hold blanks).
# Input: directories of /proc, one a line; variables: proc, target. The target's are those in its cgroup; where that is our own as well
# (outside of a container), the target and its descendants.

function cgroup(dir,   text, all) {
  all = ""
  while ((getline text < (dir "/cgroup")) > 0) all = all text "\n"
  close(dir "/cgroup")
  return all
}

function describe(pid,   dir, text, f, comm, state, uid, gid, rss, threads, size, limit) {
  dir = proc "/" pid
  comm = state = ""
  uid = gid = rss = threads = size = 0
  limit = "-"
  while ((getline text < (dir "/status")) > 0) {
    split(text, f, /[ \t]+/)
    if (f[1] == "Name:") { comm = text; sub(/^Name:[ \t]*/, "", comm); gsub(/[^ -~]/, "?", comm) }
    else if (f[1] == "State:") state = f[2]
    else if (f[1] == "Uid:") uid = f[3]
    else if (f[1] == "Gid:") gid = f[3]
    else if (f[1] == "VmRSS:") rss = f[2]
    else if (f[1] == "Threads:") threads = f[2]
    else if (f[1] == "FDSize:") size = f[2]
  }
  close(dir "/status")
  if (state == "") return
  while (state != "Z" && (getline text < (dir "/limits")) > 0) if (text ~ /^Max open files/) { split(text, f, /[ \t]+/); limit = f[4] }
  close(dir "/limits")
  print pid, state, parent[pid], uid, gid, rss, threads, size, limit, comm
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
    group[pid] = cgroup($0)
  }
  close(file)
}

END {
  ours = group[target] == cgroup(proc "/self")
  for (i = 1; i <= n && shown < 1000; i++) {
    pid = order[i]
    if (!ours) {
      # A zombie has left its cgroup already.
      if (group[pid] == group[target] || dead[pid] && parent[pid] in group && group[parent[pid]] == group[target]) { describe(pid); shown++ }
      continue
    }
    for (up = pid; up != target && up > 1 && up in parent; ) up = parent[up]
    if (up == target) { describe(pid); shown++ }
  }
}
