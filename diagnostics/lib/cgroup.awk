# What the numbers of a cgroup say. Input: "name value [value]"; variables: version, check.

function finding(id, severity, title, cause, next_step, evidence) {
  bad++
  print "not ok - " title "\n  ---\n  check: " check "\n  id: \"" check "/" id "\"\n  severity: " severity
  print "  cause: \"" cause "\"\n  next: \"" next_step "\"\n  evidence: |\n    " evidence "\n  ..."
}
function mib(bytes) { return sprintf("%.1f MiB", bytes / 1048576) }

# Numbers only: whatever else a file held is not printed.
$2 !~ /^([0-9.]+|max|-1)$/ { next }
{ value[$1] = $2; second[$1] = $3 }

END {
  used = version == 2 ? value["memory.current"] : value["memory.usage_in_bytes"]
  limit = version == 2 ? value["memory.max"] : value["memory.limit_in_bytes"]
  cache = "stat.total_inactive_file" in value ? value["stat.total_inactive_file"] : value["stat.inactive_file"]
  working = used - cache
  if (working < 0) working = 0
  limited = limit != "" && limit != "max" && limit + 0 < 4611686018427387904
  facts = "memory " mib(working) " in use (" mib(used) " with cache that can be given back), limit " (limited ? mib(limit) : "none")
  kills = value["events.oom_kill"] + 0
  print "# cgroup v" version ": " facts ", killed for lack of memory " kills
  if ("memory.failcnt" in value) print "# times the limit was hit: " value["memory.failcnt"]
  if ("events.max" in value) print "# times the limit was hit: " value["events.max"]
  if (limited && limit + 0 > 0) {
    percent = int(working * 100 / limit)
    if (percent >= 90) finding("memory", percent >= 95 ? "error" : "warn", "memory of the container is at " percent " % of its limit of " mib(limit), "the limit is too low for what the target needs, or the target leaks memory", "compare with its use over time; when the limit is reached, a process is killed", facts)
  }
  if (kills) finding("oom-kill", "error", kills " process" (kills > 1 ? "es were" : " was") " killed in this container for lack of memory (OOM)", "the memory limit was reached", "raise the limit or find what takes the memory", facts ", oom_kill " kills)

  periods = value["cpu.nr_periods"] - value["before.nr_periods"]
  throttled = value["cpu.nr_throttled"] - value["before.nr_throttled"]
  all = value["cpu.nr_periods"] + 0
  now = periods >= 5 ? int(throttled * 100 / periods) : 0
  ever = all >= 20 ? int(value["cpu.nr_throttled"] * 100 / all) : 0
  cores = ""
  if (version == 2) { if (value["cpu.max"] ~ /^[0-9]+$/) cores = sprintf("%.2f", value["cpu.max"] / second["cpu.max"]) }
  else if (value["cpu.cfs_quota_us"] > 0) cores = sprintf("%.2f", value["cpu.cfs_quota_us"] / value["cpu.cfs_period_us"])
  facts = "CPU limit " (cores == "" ? "none" : cores " cores") ", throttled in " now " % of the periods of the last 2 s and in " ever " % of all " all
  print "# " facts
  if (cores != "" && (now >= 25 || ever >= 50)) {
    finding("cpu-throttled", now >= 50 ? "error" : "warn", "CPU is throttled in " (now >= ever || now >= 25 ? now " % of the last periods" : ever " % of all periods") ": the container wants more than its limit of " cores " cores", "the CPU limit is too low for the load", "raise or remove the CPU limit, or lower the load or the number of threads", facts)
  }

  most = value["pids.max"]
  if (most ~ /^[0-9]+$/ && most > 0 && value["pids.current"] >= most * 0.9) {
    finding("pids", "error", "the container has " value["pids.current"] " processes and threads of at most " most, "processes or threads are started and do not end", "look for what starts them", "pids.current " value["pids.current"] ", pids.max " most)
  }

  for (name in value) if (name ~ /^pressure\..*\.full$/) {
    part = name
    sub(/^pressure\./, "", part)
    sub(/\.full$/, "", part)
    print "# pressure: all wait for " part " " value[name] " % of the last 10 s"
    if (part == "memory" && value[name] >= 20 || part == "io" && value[name] >= 50) {
      finding("pressure-" part, "warn", "all of the container's processes wait for " part " " value[name] " % of the time", part == "io" ? "the disk is slow or overloaded" : "memory is short and is given back and read again all the time", part == "io" ? "look at the node's disk" : "raise the memory limit", "pressure " part " full avg10=" value[name])
    }
  }
  if (!bad) print "ok - memory, CPU and process count of the container are within its limits"
}
