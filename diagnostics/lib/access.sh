# shellcheck shell=sh
# What the target may read and write, by its ids and the mode bits; sourced by checks after check.sh.

# read_ids: sets $uid $gid $groups of the target, $override if it may write whatever the bits say (CAP_DAC_OVERRIDE), and $peruse if it
# may read and search so (that, or CAP_DAC_READ_SEARCH). Fails if the target cannot be seen.
read_ids() {
  uid='' gid='' groups='' override='' peruse=''
  while read -r key rest; do
    # Numbers, to be split. A name (Name:) may be a pattern of files.
    case $key in Uid: | Gid: | Groups: | CapEff:) ;; *) continue ;; esac
    set -f
    # shellcheck disable=SC2086
    set -- $rest
    set +f
    case $key in
      # Real, effective, saved and file system id: the last one counts for files.
      Uid:) uid=$4 ;;
      Gid:) gid=$4 ;;
      Groups:) groups=$* ;;
      CapEff:) case $1 in *[2367abefABEF]) override=1 peruse=1 ;; *[4cC5dD]) peruse=1 ;; esac ;;
    esac
  done 2>/dev/null <"$proc/$target/status"
  [ -n "$uid" ] && [ -n "$gid" ]
}

# permitted OWNER GROUP MODE BITS: true if the bits (4 read, 2 write, 1 search or execute) of the octal mode are all for the target.
permitted() {
  wanted=$4 mode=$((0$3))
  [ -z "$override" ] || return 0
  [ -z "$peruse" ] || wanted=$((wanted & 2))
  if [ "$1" = "$uid" ]; then
    mode=$((mode >> 6))
  elif in_group "$2"; then
    mode=$((mode >> 3))
  fi
  [ $((mode & wanted)) = "$wanted" ]
}

in_group() {
  [ "$1" != "$gid" ] || return 0
  case " $groups " in *" $1 "*) return 0 ;; esac
  return 1
}

# $who becomes what the target runs as, in words.
describe_ids() {
  who="uid $uid, gid $gid"
  more=''
  for group in $groups; do [ "$group" = "$gid" ] || more="$more $group"; done
  [ -z "$more" ] || who="$who, groups$more"
}
