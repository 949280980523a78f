# Programs and libraries that are mapped to be run and whose file is deleted: "PID PATH", each once a process. Input: PIDs; variable: proc.
# What lies in directories for temporary files is left out: programs unpack libraries there and delete them at once.

NF == 0 { next }

{
  file = proc "/" $1 "/maps"
  # A JVM has thousands.
  for (n = 0; n < 5000 && (getline text < file) > 0; n++) {
    if (text !~ /^[0-9a-f]+-[0-9a-f]+ ..x/ || text !~ / \(deleted\)$/) continue
    sub(/ \(deleted\)$/, "", text)
    if (!match(text, /\//)) continue
    path = substr(text, RSTART)
    if (path ~ /^\/(tmp|var\/tmp|dev|run|proc|memfd:|SYSV|anon_hugepage|\[)/ || seen[$1 path]++) continue
    print $1, path
    if (++told >= 20) exit
  }
  close(file)
}
