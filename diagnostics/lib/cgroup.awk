# What the numbers of a cgroup say: memory and counts here, what happened meanwhile in cgroup-cpu.awk. Input: "name value [value]", and the
# lines of sample.awk, "tmpfs KIB PATH" and "segments COUNT UNATTACHED BYTES UNATTACHED-BYTES"; variables: version, check, age (seconds that the
# target runs; empty: not known).

function mib(bytes) { return sprintf("%.1f MiB", bytes / 1048576) }
# Of v1 the sums over child groups count.
function of(name) { return (("stat.total_" name) in value ? value["stat.total_" name] : value["stat." name]) + 0 }
function rest(from,   i, text) { text = $from; for (i = from + 1; i <= NF; i++) text = text " " $i; gsub(/[^A-Za-z0-9 _.,:\/@+-]/, "?", text); return text }

$1 == "cpu-of" { users = users (users == "" ? "" : ", ") $2 " (" rest(4) ") " $3 " %"; next }
$1 == "grows" { growing[++grown] = $2; grew_from[grown] = $3; grew_to[grown] = $4; grower[grown] = rest(5); next }
$1 == "awake" { awake(rest(7)); next }
$1 == "tmpfs" { if ($2 >= 1024) in_memory = in_memory "\n" rest(3) " holds " mib($2 * 1024); next }
$1 == "segments" { segments = $2 + 0; unattached = $3 + 0; segment_bytes = $4 + 0; unattached_bytes = $5 + 0; next }

# Numbers only: whatever else a file held is not printed.
$2 !~ /^([0-9.]+|max|-1)$/ { next }
{ value[$1] = $2; second[$1] = $3 }

END {
  memory()
  kills()
  throttling()
  counts()
  pressure()
  threads()
  if (!bad) print "ok - memory, CPU and process count of the container are within its limits"
}

function limit_of(text) { return text == "" || text == "max" || text + 0 >= 4611686018427387904 ? 0 : text + 0 }

function memory(   used, file, held, whose, tmpfs) {
  used = version == 2 ? value["memory.current"] : value["memory.usage_in_bytes"]
  limit = limit_of(version == 2 ? value["memory.max"] : value["memory.limit_in_bytes"])
  whose = "its limit"
  # The pod's, where that is less: then this container takes so much of it alone.
  if (limit_of(value["stat.hierarchical_memory_limit"]) && (!limit || value["stat.hierarchical_memory_limit"] + 0 < limit)) {
    limit = value["stat.hierarchical_memory_limit"] + 0
    whose = "the limit"
  }
  # Pages of files are given back before anything is killed; files in memory (tmpfs) are not.
  file = of("active_file") + of("inactive_file") + of("slab_reclaimable")
  held = used - file
  if (held < 0) held = 0
  tmpfs = of("shmem")
  facts = "memory " mib(held) " in use (" mib(used) " with cache that can be given back), limit " (limit ? mib(limit) : "none")
  split_up = "of it " mib(("stat.anon" in value) ? of("anon") : of("rss")) " of processes, " mib(tmpfs) " files in memory (tmpfs), swapped out " mib(("memory.swap.current" in value) ? value["memory.swap.current"] : of("swap"))
  print "# cgroup v" version ": " facts "; " split_up
  if ("memory.failcnt" in value) print "# times the limit was hit: " value["memory.failcnt"]
  if ("events.max" in value) print "# times the limit was hit: " value["events.max"]
  percent = limit ? int(held * 100 / limit) : 0
  if (percent >= 90 && tmpfs >= held / 2 && segment_bytes >= tmpfs / 2) {
    finding("memory-segments", "error", "memory of the container is at " percent " % of " whose " of " mib(limit) ", most of it (" mib(segment_bytes) ") shared memory: " segments " segment" (segments == 1 ? "" : "s") " of System V (IPC)" (unattached ? ", of which " (unattached == segments ? "none is" : unattached " are not") " attached by any process" : ""), unattached ? "processes that made them (shmget) ended without removing them: they stay until the pod ends" : "the program is told to share that much (shared buffers)", unattached ? "ipcs -m shows them, ipcrm -m removes one; let the program remove them (IPC_RMID) once all have attached" : "lower it, or raise the memory limit", facts "\n" split_up "\nunattached: " unattached " of " segments ", " mib(unattached_bytes))
  } else if (percent >= 90 && tmpfs >= held / 2) {
    finding("memory-tmpfs", "error", "memory of the container is at " percent " % of " whose " of " mib(limit) ", most of it (" mib(tmpfs) ") files in memory: a tmpfs, as an emptyDir of medium Memory or /dev/shm", "what is written there counts as memory of the container until it is deleted, also after a restart of the container", "delete what is not needed there, give the volume a sizeLimit, or take a disk for it", facts "\n" split_up in_memory)
  } else if (percent >= 90) {
    finding("memory", percent >= 95 ? "error" : "warn", "memory of the container is at " percent " % of " whose " of " mib(limit), "the limit is too low for what the target needs, or the target leaks memory", "compare with its use over time; when the limit is reached, a process is killed", facts "\n" split_up in_memory)
  }
  if (limit_of(value["memory.high"]) && held >= value["memory.high"] * 0.98 && value["events.high"] > 0) {
    finding("memory-high", "warn", "memory of the container is at its limit memory.high of " mib(value["memory.high"]) ": the kernel slows it down to get memory back", "the request or the limit is too low for what the target needs", "raise it, or find what takes the memory", facts ", events high " value["events.high"])
  }
}

# A kill of long ago is no trouble of now: an error only where there is another meanwhile, or little memory is left.
function kills(   n, node, reached, severity) {
  if (value["events.under_oom"] == 1) {
    finding("oom-waits", "error", "the container is out of memory, and its processes wait for some: the kernel may not kill any (oom_kill_disable)", "the memory limit was reached", "raise the limit, or end a process", facts)
  }
  n = value["events.oom_kill"] + 0
  print "# killed for lack of memory: " n
  if (!n) return
  reached = version == 2 ? value["events.oom"] + value["events.max"] : value["memory.failcnt"]
  node = !limit || reached + 0 == 0
  severity = percent >= 80 || ("before.events.oom_kill" in value) && n > value["before.events.oom_kill"] + 0 ? "error" : "warn"
  finding("oom-kill", severity, n " process" (n > 1 ? "es were" : " was") " killed in this container for lack of memory (OOM)" (age == "" ? "" : ", and its first process lives on: a child or worker, which the status of the pod does not show"), node ? (limit ? "the limit of the pod, which is the sum of those of its containers, was reached, or the node ran out of memory" : "there is no limit: the node ran out of memory") : "the memory limit of the container was reached, and the kernel chose the process that takes most", node && !limit ? "look at the memory of the node and of the other containers; set requests and limits" : "raise the limit, or find what takes the memory; look in the log for the worker that ended by signal 9", facts "\noom_kill " n)
}

function counts(   most, failed) {
  most = value["pids.max"]
  # Of v1 the failures of this group, also where the limit is the pod's.
  failed = value["pids.events.max"] + 0
  print "# processes and threads: " (("pids.current" in value) ? value["pids.current"] : "?") ", limit " (most == "" || most == "max" ? "none" : most) ", failed to start " failed
  facts = "pids.current " value["pids.current"] ", pids.max " most ", failed to start " failed
  if (most ~ /^[0-9]+$/ && most > 0 && value["pids.current"] >= most * 0.9) {
    finding("pids", value["pids.current"] >= most * 0.98 || failed > value["before.pids.max"] ? "error" : "warn", "the container has " value["pids.current"] " processes and threads of at most " most (failed ? ", and no more can be started (fork fails)" : ""), "processes or threads are started and do not end", "look for what starts them", facts)
  } else if (failed > value["before.pids.max"] + 0) {
    finding("pids", "error", "no more processes and threads can be started in this container (fork fails): a limit of process ids of its pod is reached", "processes or threads are started and do not end, in this container or beside it", "look for what starts them; compare podPidsLimit of the kubelet", facts)
  } else if (failed) {
    finding("pids", "warn", "processes or threads could not be started (fork failed) " failed " times since the container runs: the limit of process ids was reached", "more were started than the limit allows", "look for what starts them; compare the limit with what the target needs", facts)
  }
}

function pressure(   name, part) {
  for (name in value) if (name ~ /^pressure\..*\.full$/) {
    part = name
    sub(/^pressure\./, "", part)
    sub(/\.full$/, "", part)
    print "# pressure: all wait for " part " " value[name] " % of the last 10 s"
    if (part == "memory" && value[name] >= 20 || part == "io" && value[name] >= 50) {
      finding("pressure-" part, "warn", "all of the container's processes wait for " part " " value[name] " % of the time", part == "io" ? "the disk is slow or overloaded" : "memory is short and is given back and read again all the time", part == "io" ? "look at the node's disk" : "raise the memory limit", "pressure " part " full avg10=" value[name])
    }
  }
}
