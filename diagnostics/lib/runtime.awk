# What runs in a process, by the files that it has mapped: "KIND PATH", the first of jvm, dotnet, node, python, ruby, php, else native.
# PATH is that of the file that tells it, for native that of the C library or nothing. Input: /proc/PID/maps; variable: exe, its program.

function base(path) { sub(/.*\//, "", path); return path }
# The weightier kind wins: a JVM may load Python, a Node.js add-on too.
function take(name, weight, path) { if (weight > best) { best = weight; kind = name; told = path } }

BEGIN {
  kind = "native"
  program = base(exe)
  if (program ~ /^(node|nodejs)$/) take("node", 5, exe)
  else if (program ~ /^python[0-9.]*$/) take("python", 3, exe)
  else if (program ~ /^ruby[0-9.]*$/) take("ruby", 3, exe)
  else if (program ~ /^php(-fpm|-cgi)?[0-9.]*$/) take("php", 3, exe)
}

NF < 6 || $6 !~ /^\// || $6 == last { next }
{
  last = path = $0
  sub(/^([^ ]+ +)([^ ]+ +)([^ ]+ +)([^ ]+ +)([^ ]+ +)/, "", path)
  last = $6
  name = base(path)
}
name == "libjvm.so" { take("jvm", 8, path) }
name ~ /^libcoreclr\.so$/ { take("dotnet", 7, path) }
name ~ /^libnode\.so/ { take("node", 5, path) }
name ~ /^libpython[0-9.]+(so|\.so)/ { take("python", 3, path) }
name ~ /^libruby([-0-9.]*)\.so/ { take("ruby", 3, path) }
name ~ /^libphp[0-9.]*\.so/ { take("php", 3, path) }
name ~ /^(libc[.-]|ld-musl-|libc\.musl-)/ && libc == "" { libc = path }

END { print kind, (kind == "native" ? libc : told) }
