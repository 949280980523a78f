# shellcheck shell=sh
# How long an HTTP answer took, and what time it says it is; sourced by checks that ask for one.

# time_of WORD: $moment becomes the hundredths of a second since the machine started at which http.awk said that, in $reply; empty if it did not.
time_of() {
  moment=${reply##*"at $1 "}
  [ "$moment" != "$reply" ] || moment=''
  moment=${moment%%[!0-9.]*}
  case $moment in *.*) moment=${moment%.*}${moment#*.} ;; esac
}

# read_times BEGAN: $to_connect and $to_answer become the milliseconds from BEGAN to the connection, and from there to the status line.
read_times() {
  to_connect='' to_answer=''
  time_of connected
  [ -n "$moment" ] || return 0
  at=$moment
  to_connect=$(((at - $1) * 10))
  time_of answered
  [ -z "$moment" ] || to_answer=$(((moment - at) * 10))
}

# judge_date FROM UNTIL: compares the Date of the answer in $reply with our time, in Unix seconds before and after. Sets $clocks to what there
# is to say, and makes a finding of more than a minute. An answer that says its age comes from a cache, and tells the time of the past.
judge_date() {
  clocks=''
  case $reply in *"age "[0-9]*) return 0 ;; esac
  # shellcheck disable=SC2046
  set -- "$1" "$2" $(printf '%s\n' "$reply" | sed -n 's/^date //p' | awk -f "$lib/http-date.awk" -v from="$1" -v until="$2")
  [ $# -eq 6 ] || return 0
  off=${3#-}
  clocks="clocks agree within ${off} s"
  [ "$off" -gt 60 ] || return 0
  case $3 in -*) side="behind ours" ;; *) side="ahead of ours" ;; esac
  span=$(awk -v s="$off" 'BEGIN { print s < 7200 ? int(s / 60) " min " s % 60 " s" : s < 172800 ? int(s / 3600) " h " int(s % 3600 / 60) " min" : int(s / 86400) " days" }')
  finding "$id/skew" warn "the clocks of $host and this node differ by $span (skew): its answer is dated $4 $5, $side" \
    "one of the two clocks is wrong: its node does not keep time (NTP, chrony), or the server sets the date itself; tokens and certificates are then refused" \
    "compare both with a third clock; look at the time service of the nodes" "answered $4 $5 UTC
here it was $(date -u -d "@$2" '+%Y-%m-%d %H:%M:%S') UTC"
}
