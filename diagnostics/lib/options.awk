# Options of a JVM, Node.js or Python process that matter to whoever looks for trouble, as lines:
#   heap BYTES OPTION             the most that it may take        share PERCENT OPTION     the same, of the container's limit
#   debug PORT OPTION             a port for debuggers             jmx PORT                 management without a password
#   waits PORT OPTION             starts only when a debugger has connected
#   alone OPTION                  is told not to ask for the container's limit
#   flags NAME…                   their names; never a value
# Input: "args", the arguments, "environment", the environment, a line each. Variable: kind.

function number(text,   unit, value) {
  if (text !~ /^[0-9]+[kKmMgGtT]?[bB]?$/) return 0
  value = text + 0
  unit = tolower(text)
  sub(/^[0-9]+/, "", unit)
  unit = substr(unit, 1, 1)
  return value * (unit == "k" ? 1024 : unit == "m" ? 1048576 : unit == "g" ? 1073741824 : unit == "t" ? 1099511627776 : 1)
}
# "9229", "host:9229", "*:9229", "[::]:9229" or "host"
function port_in(text, otherwise) { sub(/^.*:/, "", text); return text ~ /^[0-9]+$/ ? text + 0 : otherwise }
function value_of(option) { return index(option, "=") ? substr(option, index(option, "=") + 1) : "" }
function flag(name) { if (!(name in named) && ++flag_count <= 25) flags = flags " " name; named[name] = 1 }

function jvm(option,   name, value) {
  value = value_of(option)
  name = option
  sub(/=.*/, "", name)
  if (option ~ /^-Xmx[0-9]/) { heap = number(substr(option, 5)); heap_by = "-Xmx" }
  else if (name == "-XX:MaxHeapSize") { heap = number(value); heap_by = name }
  else if (name == "-XX:MaxRAMPercentage") { share = value + 0; share_by = name }
  else if (option == "-XX:-UseContainerSupport") alone = option
  else if (option ~ /^-(agentlib:|X?run)jdwp/) {
    if (match(option, /address=[^,]*/)) debug = port_in(substr(option, RSTART + 8, RLENGTH - 8), 0)
    debug_by = "JDWP"
    if (option ~ /server=y/ && option !~ /suspend=n/) waits = debug
  }
  else if (name == "-Dcom.sun.management.jmxremote.port") jmx = value + 0
  else if (name == "-Dcom.sun.management.jmxremote.authenticate") password = value
  if (option ~ /^-X/) { sub(/^-XX:[+-]?[A-Za-z0-9]+.*/, "", option); if (option == "") { sub(/[^A-Za-z0-9:+-].*/, "", name) } else { match(name, /^-X[a-z]+/); name = substr(name, 1, RLENGTH) }; flag(name) }
  else if (option ~ /^-(agentlib|agentpath|javaagent)/) { sub(/:.*/, "", name); flag(name) }
}
function node(option,   name, value) {
  value = value_of(option)
  name = option
  sub(/=.*/, "", name)
  gsub(/_/, "-", name)
  if (name == "--max-old-space-size") { heap = number(value) * 1048576; heap_by = name }
  else if (name ~ /^--(inspect|debug)(-brk|-wait|-port)?$/) {
    debug = port_in(value, debug ? debug : 9229)
    debug_by = "inspector"
    if (name ~ /-(brk|wait)$/) waits = debug
  }
  flag(name)
}
# Word for word: Python's options, and debugpy's if it is run as a module. What follows the program or another module is the program's own.
function python(option, following,   name, rest) {
  if (ended) return
  if (takes != "") {
    if (takes == "m" && option == "debugpy") debugging = 1
    else if (takes ~ /[mc]/) ended = 1
    takes = ""
  }
  else if (debugging) {
    if (option == "--listen") { debug = port_in(following, 5678); debug_by = "debugpy" }
    if (option == "--wait-for-client") waiting = 1
    if (option ~ /^--(listen|connect|log-to|pid|adapter-access-token|configure-.*)$/) takes = "value"
    else if (option !~ /^--/) ended = 1
  }
  else if (option == "--check-hash-based-pycs") takes = "value"
  else if (option !~ /^-./) ended = 1
  else if (match(option, /^-[bBdEhiIOPqsSuvVx]*[mcWX]?/) && RLENGTH > 1) {
    name = substr(option, 1, RLENGTH)
    rest = substr(option, RLENGTH + 1)
    flag(name)
    name = substr(name, RLENGTH)
    if (name !~ /[mcWX]/) return
    if (rest == "") takes = name
    else if (name == "m" && rest == "debugpy") debugging = 1
    else if (name ~ /[mc]/) ended = 1
  }
}
# The options before the program's own arguments; some take the next word.
function read_options(word, count,   i) {
  for (i = 1; i <= count; i++) {
    if (kind == "python") { python(word[i], i < count ? word[i + 1] : ""); continue }
    if (word[i] !~ /^-/) return
    if (kind == "jvm") {
      if (word[i] == "-jar" || word[i] == "-m" || word[i] == "--module") { return }
      if (word[i] ~ /^(-cp|-classpath|--class-path|-p|--module-path|--add-(modules|exports|opens|reads)|--upgrade-module-path)$/) { i++; continue }
      jvm(word[i])
    } else {
      if (word[i] ~ /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file)$/) { i++; continue }
      if (word[i] ~ /^(-e|-p|--eval|--print)$/) return
      if (word[i] ~ /^--(max-old-space-size|inspect-port)$/ && i < count) { node(word[i] "=" word[i + 1]); i++; continue }
      node(word[i])
    }
  }
}
function read_text(text,   word, count) { count = split(text, word, /[ \t]+/); if (word[1] == "") return; read_options(word, count) }

$0 == "args" && !part { part = 1; next }
$0 == "environment" && part == 1 { part = 2; next }
part == 1 && $0 != "" && n < 500 { argument[n++] = $0; next }
part == 2 && /^(JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS|NODE_OPTIONS)=/ { environment[substr($0, 1, index($0, "=") - 1)] = value_of($0) }

END {
  if (kind == "jvm") { read_text(environment["JAVA_TOOL_OPTIONS"]); read_text(environment["JDK_JAVA_OPTIONS"]) }
  else if (kind == "node") read_text(environment["NODE_OPTIONS"])
  # The first is the program itself.
  for (i = 1; i < n; i++) word[i] = argument[i]
  read_options(word, n - 1)
  if (kind == "jvm") read_text(environment["_JAVA_OPTIONS"])
  if (waiting) waits = debug
  # A fixed maximum wins over a share.
  if (heap) printf "heap %.0f %s\n", heap, heap_by
  else if (share) print "share", share, share_by
  if (debug) print "debug", debug, debug_by
  if (waits) print "waits", waits, debug_by
  if (jmx && password == "false") print "jmx", jmx
  if (alone != "") print "alone", alone
  if (flags != "") print "flags" flags
}
