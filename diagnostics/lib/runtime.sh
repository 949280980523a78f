# shellcheck shell=sh
# Which runtime a process of the target has, and its version; sourced after check.sh. What is read of a process takes the same right as its open
# files. Its variables are the checks' as well.
# shellcheck disable=SC2034,SC2154

# shellcheck source=diagnostics/lib/target-path.sh
. "$lib/target-path.sh"

# detect PID: $kind becomes jvm, dotnet, node, python, ruby, php, go or native, $file the file that told it, $exe its program; fails if the
# kernel does not let us look.
detect() {
  kind='' file=''
  exe=$(readlink "$proc/$1/exe" 2>/dev/null) || return 1
  exe=${exe% (deleted)}
  read -r kind file <<END
$(awk -f "$lib/runtime.awk" -v exe="$exe" "$proc/$1/maps" 2>/dev/null)
END
  build=''
  if [ "$kind" = native ] && command -v busybox >/dev/null 2>&1; then
    build=$(awk -f "$lib/buildinfo.awk" -v file="$proc/$1/exe")
    [ -z "$build" ] || kind=go
  fi
  [ -n "$kind" ]
}

# package NAME…: $version becomes that of the first which the target's distribution has installed; empty if none is.
package() {
  version=''
  for wanted; do
    for list in "/var/lib/dpkg/status" "/var/lib/dpkg/status.d/$wanted" "/lib/apk/db/installed"; do
      inside "$top" "$list" || continue
      version=$(beginning 8388608 "$inside" | awk -v name="$wanted" '
        $1 == "Package:" { found = $2 == name }
        /^P:/ { found = substr($0, 3) == name }
        found && $1 == "Version:" { print $2; exit }
        found && /^V:/ { print substr($0, 3); exit }')
      [ -z "$version" ] || return 0
    done
  done
}

# $version loses what a distribution put around it, as in 1:20.19.2+dfsg-1
upstream() { version=${version#*:} && version=${version%%[-+~]*}; }

# defined FILE NAME…: $version becomes the values of these C macros of a file of the target, with dots between them.
defined() {
  version=''
  inside "$top" "$1" || return 0
  shift
  version=$(beginning 262144 "$inside" | awk -v names="$*" 'BEGIN { n = split(names, want, " ") }
    $1 == "#define" { gsub(/"/, "", $3); value[$2] = $3 }
    END { for (i = 1; i <= n; i++) text = text (i > 1 ? "." : "") value[want[i]]; if (text ~ /^[0-9.]+[a-z0-9+]*$/) print text }')
}

# digits NAME: $version becomes the first version in a file's name, as in libpython3.11.so.1.0
digits() { version=$(echo "${1##*/}" | sed 's/^[^0-9]*//; s/[^0-9.].*//; s/\.$//'); }

# describe_runtime PID: after detect, $runtime becomes its name and version for people.
describe_runtime() {
  top=$proc/$1/root version=''
  prefix=${exe%/bin/*}
  case $kind in
    jvm)
      home=${file%/*/*/*}
      for release in "$home/release" "${home%/*}/release" "${home%/*/*}/release"; do
        ! inside "$top" "$release" || version=$(beginning 65536 "$inside" | sed -n 's/^JAVA_VERSION="\([0-9._a-z+-]*\)"$/\1/p')
        [ -z "$version" ] || break
      done
      runtime="JVM${version:+ of Java $version}"
      ;;
    dotnet)
      version=${file%/*} version=${version##*/}
      case $version in *[!0-9.]*) version='' ;; esac
      runtime=".NET${version:+ $version}"
      ;;
    node)
      defined "$prefix/include/node/node_version.h" NODE_MAJOR_VERSION NODE_MINOR_VERSION NODE_PATCH_VERSION
      [ -n "$version" ] || { package nodejs && upstream; }
      runtime="Node.js${version:+ $version}"
      ;;
    python)
      digits "${exe##*/}"
      case $version in *.*) ;; *) digits "${file##*/lib}" ;; esac
      minor=$version
      defined "$prefix/include/python$minor/patchlevel.h" PY_VERSION
      [ -n "$version" ] || { package "python$minor-minimal" "python$minor" python3 && upstream; }
      # Another Python may be installed beside the one that runs.
      case $version in "$minor"*) ;; *) version=$minor ;; esac
      runtime="Python $version"
      ;;
    ruby)
      digits "${file##*.so.}"
      runtime="Ruby${version:+ $version}"
      ;;
    php)
      digits "${file##*/lib}"
      minor=$version
      package "php$minor-cli" "php$minor-fpm" "php$minor" && upstream
      runtime="PHP ${version:-$minor}"
      ;;
    go)
      runtime=$(printf '%s\n' "$build" | awk '
        $1 == "go" { text = "Go" ($2 == "" ? "" : " " substr($2, 3)) }
        $1 == "path" { text = text ", program " $2 }
        $1 == "mod" { text = text ", module " $2 " " $3 }
        END { print text }')
      ;;
    native)
      case $file in
        '') runtime="native program without a shared C library" ;;
        *musl*) package musl && runtime="native program on musl${version:+ $version}" ;;
        *) package libc6 glibc && runtime="native program on glibc${version:+ $version}" ;;
      esac
      ;;
  esac
}

# memory_limit [DIR]: $limit becomes the container's memory limit in bytes, as its own cgroup file system shows it; empty without one.
memory_limit() {
  limit=''
  for one in "$1/memory/memory.limit_in_bytes" "$1/memory.limit_in_bytes" "$1/memory.max"; do
    [ -f "$one" ] && { read -r limit <"$one"; } 2>/dev/null || continue
    case $limit in *[!0-9]* | '' | ????????????????*) limit='' ;; esac
    return 0
  done
}

# listener PORT: $at becomes the address at which the pod listens on that port for others; "localhost" if only for itself; empty if it does not.
# $connected becomes the number of its connections there.
listener() {
  at='' connected=0
  read -r at connected <<FOUND
$(awk -v port="$1" '
  function hex(text,   i, value) { for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789ABCDEF", substr(text, i, 1)) - 1; return value }
  FNR > 1 {
    split($2, local, ":")
    if (hex(local[2]) != port) next
    if ($4 == "01") connected++
    if ($4 != "0A") next
    if (local[1] ~ /^(0000000000000000FFFF0000)?......7F$/ || local[1] == "00000000000000000000000001000000") { if (at == "") at = "localhost" }
    else at = local[1] ~ /^0+$/ ? (length(local[1]) == 8 ? "0.0.0.0" : "[::]") : "its address"
  }
  END { print at == "" ? "-" : at, connected + 0 }' "$proc/$target/net/tcp" "$proc/$target/net/tcp6" 2>/dev/null)
FOUND
  [ "$at" != - ] || at=''
}
