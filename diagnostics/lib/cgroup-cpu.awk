# The parts of cgroup.awk that look at what happened in the 2 s of the sample: CPU throttling, threads that never sleep, threads that grow.

function throttling(   periods, throttled, all, stolen, facts) {
  periods = value["cpu.nr_periods"] - value["before.nr_periods"]
  throttled = value["cpu.nr_throttled"] - value["before.nr_throttled"]
  all = value["cpu.nr_periods"] + 0
  now = periods >= 5 ? int(throttled * 100 / periods) : 0
  ever = all >= 20 ? int(value["cpu.nr_throttled"] * 100 / all) : 0
  # Seconds that it could not run, against those that it has been running: the start alone, where most are throttled, is no trouble.
  stolen = ("cpu.throttled_time" in value) ? value["cpu.throttled_time"] / 1e9 : value["cpu.throttled_usec"] / 1e6
  # On a busy node it may not even get what it may use, and is throttled now and then only.
  lasting = age == "" || age >= 120 && stolen >= age * 0.1 || age >= 10 && stolen >= age * 0.3 && now > 0
  # A little too low: a part of the periods, all the time.
  often = age >= 15 && all >= 100 && ever >= 25 && now >= 10 && stolen >= age * 0.05
  cores = ""
  if (version == 2) { if (value["cpu.max"] ~ /^[0-9]+$/) cores = sprintf("%.2f", value["cpu.max"] / second["cpu.max"]) }
  else if (value["cpu.cfs_quota_us"] > 0) cores = sprintf("%.2f", value["cpu.cfs_quota_us"] / value["cpu.cfs_period_us"])
  facts = "CPU limit " (cores == "" ? "none" : cores " cores") ", throttled in " now " % of the periods of the last 2 s and in " ever " % of all " all
  print "# " facts
  if (users != "") print "# of a core in the last 2 s: " users
  if (cores == "" || now < 25 && !often && (ever < 50 || !lasting)) return
  held_back = 1
  finding("cpu-throttled", now >= 50 ? "error" : "warn", "CPU is throttled in " (now >= ever || now >= 25 ? now " % of the last periods" : ever " % of all periods") ": the container wants more than its limit of " cores " cores", "the CPU limit is too low for the load", "raise or remove the CPU limit, or lower the load or the number of threads", facts (users == "" ? "" : "\nof a core in the last 2 s: " users))
}

# A thread that never slept. Who reads or writes meanwhile is at work, and so may be one that has just begun.
function awake(name) {
  if ($5 < 6 || $6 == "-" || $6 > 20) return
  if (!($2 in spins)) spinners[++spinning] = $2
  spins[$2]++
  spin_name[$2] = name
  spin_facts[$2] = spin_facts[$2] "\nthread " $3 ": on a processor " $4 " % of the last 2 s, " $5 " s without sleep so far"
}

function threads(   i, pid) {
  # Held back by its limit, every thread is kept from sleeping.
  for (i = 1; i <= spinning && !held_back; i++) {
    pid = spinners[i]
    finding("spinning", "warn", "process " pid " (" spin_name[pid] ") of the target spins: " (spins[pid] > 1 ? spins[pid] " of its threads take" : "a thread of it takes") " all the CPU it gets and never sleeps, reads or writes", "an endless loop, waiting without sleep, or pure computing", "look at what the thread does (stacks of the runtime, a profile); if it is meant to compute, this is no fault", "process " pid ", " spins[pid] " of its threads" spin_facts[pid])
  }
  # One that starts has more and more, too.
  for (i = 1; i <= grown; i++) if (grew_to[i] >= 100 && grew_to[i] - grew_from[i] >= 10 && (age == "" || age >= 10)) {
    finding("threads-grow", "warn", "process " growing[i] " (" grower[i] ") of the target starts threads that do not end: " grew_to[i] " now, " grew_to[i] - grew_from[i] " more than 2 s before", "a leak of threads, or a pool without a bound", "look at what the threads do (a thread dump of the runtime, stacks); bound the pool", "threads " grew_from[i] " and 2 s later " grew_to[i])
  }
}
