# shellcheck shell=sh
# Parts of the check kubernetes, whose variables these are.

# When the target's first process began, in seconds since 1970, in $began.
read_start() {
  began=''
  boot=$(sed -n 's/^btime //p' "$proc/stat" 2>/dev/null)
  stat=''
  { read -r stat <"$proc/$target/stat"; } 2>/dev/null
  # After the name: state, parent, … and as the 20th the start, in hundredths of a second since the boot.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ -z "$boot" ] || [ $# -lt 20 ] || began=$((boot + ${20} / 100))
}

# $since becomes how long N seconds are, in words.
in_words() {
  if [ "$1" -lt 120 ]; then since="$1 seconds"; elif [ "$1" -lt 7200 ]; then since="$(($1 / 60)) minutes"; elif [ "$1" -lt 172800 ]; then since="$(($1 / 3600)) hours"; else since="$(($1 / 86400)) days"; fi
}

# When the kubelet wrote this version, in seconds since 1970, in $written; its directory is named ..2026_11_27_17_45_47.123, in UTC.
read_version() {
  written=''
  day=${1#..}
  clock=${day#????_??_??_}
  clock=${clock%%.*} day=${day%"_$clock"*}
  case $day$clock in
    ????_??_????_??_??) written=$(date -u -d "$(echo "$day" | tr _ -) $(echo "$clock" | tr _ :)" +%s 2>/dev/null) ;;
  esac
}

# list_keys POINT: reads what is mounted there: $keys (names, the first of them), $count, $sizes ("OWNER GROUP MODE BYTES NAME" a line).
list_keys() {
  keys='' count=0 sizes=''
  set -- "$root$1"/*
  [ -e "$1" ] || [ -L "$1" ] || return 0
  count=$#
  [ "$count" -le 60 ] || return 0
  for entry; do
    shift
    # No key has such a name, and it would not stay on its line.
    case ${entry##*/} in *"
"*) continue ;; esac
    set -- "$@" "$entry"
    [ "${#keys}" -ge 160 ] || keys="$keys ${entry##*/}"
  done
  [ $# = 0 ] || sizes=$(stat -L -c '%u %g %a %s %n' "$@" 2>/dev/null)
}

# Whether what is mounted at $point changes by itself, so that a change tells nothing: tokens, and the pod's own labels and annotations.
is_lively() {
  case $kind in downward-api) return 0 ;; esac
  case " $keys " in *' token '* | *' labels '* | *' annotations '* | *'-token '* | *_token' '*) return 0 ;; esac
  return 1
}

# A volume of the kubelet's: $kind, $point.
look_at_volume() {
  version=$(readlink "$root$point/..data" 2>/dev/null)
  if [ ! -d "$root$point/..data" ]; then
    tell "dangling$point" error "volume $point has lost its content: its link ..data points nowhere" "the kubelet was interrupted while it wrote, or the node's disk is in trouble" "delete the pod so that it is made anew" "..data -> $version"
    return 0
  fi
  list_keys "$point"
  read_version "$version"
  case $kind in memory) what='Secret, projected or downward API' ;; configmap) what=ConfigMap ;; *) what=$kind ;; esac
  facts="$point ($what), keys:${keys:- none}; written ${written:+$(date -u -d "@$written" '+%Y-%m-%d %H:%M:%S') UTC}"
  fact "$facts"
  if [ "$count" = 0 ]; then
    tell "empty-volume$point" info "volume $point is empty: its ConfigMap or Secret is missing and marked optional, or it has no keys" "what should be in it was not created, or has another name or namespace" "create it, or take the volume away; without optional: true the pod would not have started" "$facts"
    return 0
  fi
  # The token is for whom the container starts as; who gives up root later cannot read it, and need not.
  case " $keys " in *' namespace token '*) ;; *) look_at_keys ;; esac
  if [ -n "$written" ] && [ -n "$began" ] && [ $((written - began)) -gt 5 ] && ! is_lively; then
    in_words $((written - began))
    tell "stale-config$point" info "the config in $point was changed $since after the process started: a program that does not reload it still uses the old one" \
      "the ConfigMap or Secret was edited while the pod was running" "restart the pod if its program reads the config only when it starts" "$facts
process $target started $(date -u -d "@$began" '+%Y-%m-%d %H:%M:%S') UTC"
  fi
}

# The keys of $point: those that the target may not read, those that are empty.
look_at_keys() {
  closed='' closed_count=0 empty='' filled=0
  while read -r owner group_of mode_of bytes name; do
    case $owner$group_of$mode_of$bytes in '' | *[!0-9]*) continue ;; esac
    name=${name##*/}
    if ! permitted "$owner" "$group_of" "$mode_of" 4; then
      closed_count=$((closed_count + 1))
      [ "${#closed}" -ge 120 ] || closed="$closed $name ($owner:$group_of, mode $mode_of)"
    fi
    # Of a certificate from a public authority ca.crt is usually empty.
    if [ "$bytes" = 0 ] && [ "$name" != ca.crt ]; then empty="$empty $name"; else filled=$((filled + 1)); fi
  done <<END
$sizes
END
  if [ "$closed_count" -gt 0 ]; then
    if [ "$closed_count" = "$count" ]; then severity=error; else severity=warn; fi
    tell "not-readable$point" "$severity" "the target cannot read $closed_count of $count files in $point: permission denied for $who:$closed" "defaultMode of the volume leaves the target's user out, and no fsGroup is set" "set fsGroup of the pod, or a defaultMode that the target's user may read" "$facts"
  fi
  [ -n "$empty" ] || return 0
  if [ "$filled" = 0 ]; then
    tell "empty-keys$point" warn "all files in $point are empty:$empty" "the keys of the ConfigMap or Secret have no values" "look at what creates it" "$facts"
  elif [ "$kind" = memory ] && ! is_lively; then
    tell "empty-keys$point" warn "in $point these files are empty:$empty" "the keys of the Secret have no values" "look at what creates it" "$facts"
  else
    fact "empty:$empty"
  fi
}

# A single key that is mounted by subPath at $point: $version is the version that it was taken from, with /deleted if that is no more.
look_at_sub_path() {
  case $version in
    */deleted)
      read_version "${version%/deleted}"
      tell "stale-sub-path$point" warn "file $point is of an old version of its ConfigMap or Secret: it was changed since, and a file mounted by subPath is never updated" \
        "subPath binds the one file that there was when the container started" "restart the pod; mount the whole volume if changes are to arrive by themselves" "$point was written ${written:+$(date -u -d "@$written" '+%Y-%m-%d %H:%M:%S') UTC}, and that version is removed"
      ;;
  esac
}

# A directory at $point where the kubelet should have bound one key of a ConfigMap or Secret.
look_at_sub_directory() {
  [ -d "$root$point" ] && [ ! -L "$root$point/..data" ] || return 0
  [ -z "$(find "$root$point" -mindepth 1 -maxdepth 1 -print 2>/dev/null | head -n 1)" ] || return 0
  tell "sub-path-missing$point" error "$point is an empty directory instead of a file: the subPath of its mount names a key that the ConfigMap or Secret does not have" \
    "the key has another name or is missing; the kubelet then makes a directory" "compare the subPath with the keys" "$point lies in a volume of the kind $kind"
}

# Files of a configuration at $point that are surely broken: JSON and YAML by name, of at most 48 KiB in all, for the CPU that it takes.
look_at_syntax() {
  for file; do
    name=${file##*/}
    case $name in *.json | *.yaml | *.yml) ;; *) continue ;; esac
    inside "$root" "${file#"$root"}" && [ -s "$inside" ] || continue
    bytes=$(stat -c %s "$inside")
    if [ $((looked + bytes)) -gt 49152 ]; then
      fact "${file#"$root"}: not looked into, for its size; file=${file#"$root"} does"
      continue
    fi
    looked=$((looked + bytes + 1024))
    guess_format "$name" "$inside"
    examine "$inside" 0
    case $verdict in
      'bad '*comment | 'fine '*) continue ;;
      # Programs that read JSON5 take these.
      'bad '*'before the closing'* | 'bad '*'single quotes'* | 'bad '*'without double quotes'*) severity=warn ;;
      'bad '*) severity=error ;;
      *) continue ;;
    esac
    verdict=${verdict#bad }
    tell "invalid${file#"$root"}" "$severity" "config file ${file#"$root"} is no valid $(printf %s "$format" | tr a-z A-Z): line ${verdict%% *}: ${verdict#* }" "it was edited by hand, or made by a template that went wrong" "mend it in the ConfigMap or Secret; the check file=${file#"$root"} shows its structure without values"
  done
}

# The token of the service account at $point, of which only the time of its end is read.
look_at_token() {
  inside "$root" "$point/token" || return 0
  ends=$(head -c 8192 "$inside" | tr -d '\000' | awk -f "$lib/token.awk")
  now=$(date +%s)
  if [ -z "$ends" ]; then
    fact "$point/token: a token without an end, or of another form"
  elif [ "$ends" -le "$now" ]; then
    in_words $((now - ends))
    tell "token-expired$point" error "the token in $point has expired $since ago: the API server and others refuse it" "the kubelet could not renew it: the node has lost the API server, or its clock is wrong" "look at the node's kubelet" "$point/token"
  else
    in_words $((ends - now))
    fact "$point/token: a token that ends in $since; the kubelet renews it before"
  fi
}

# Certificates in a Secret at $point, those of authorities left out: the first in each file, of three files in all, by their times alone.
look_at_certificates() {
  for key in $keys; do
    case $key in ca.* | *bundle* | *ca.crt | *ca.pem) continue ;; *.crt | *.pem | *.cer) ;; *) continue ;; esac
    [ "$certificates" -lt 3 ] || return 0
    inside "$root" "$point/$key" || continue
    certificates=$((certificates + 1))
    # shellcheck disable=SC2046
    set -- $(head -c 65536 "$inside" | awk -f "$lib/der.awk" -f "$lib/validity.awk")
    [ "$#-${1:-}" = 3-valid ] || continue
    shift
    now=$(date -u +%Y%m%d%H%M%S)
    if [ "$2" -lt "$now" ]; then
      tell "certificate$point/$key" warn "the certificate $point/$key has expired on $(day "$2"): who is shown it refuses it" "the Secret was not renewed" "renew it (cert-manager, a job); restart the pod if its program reads it only when it starts" "valid from $(day "$1") to $(day "$2")"
    elif [ "$1" -gt "$now" ]; then
      tell "certificate$point/$key" warn "the certificate $point/$key is not valid before $(day "$1"): who is shown it refuses it" "a clock is wrong, here or where it was made" "compare the clocks" "valid from $(day "$1") to $(day "$2")"
    else
      fact "$point/$key: a certificate that is valid until $(day "$2")"
    fi
  done
}

# A day as people write it, of 20261122210000.
day() { printf '%s' "$1" | awk '{ print substr($0, 1, 4) "-" substr($0, 5, 2) "-" substr($0, 7, 2) " " substr($0, 9, 2) ":" substr($0, 11, 2) " UTC" }'; }
