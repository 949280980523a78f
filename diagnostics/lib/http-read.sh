# shellcheck shell=sh
# Reads an HTTP answer from stdin, after the line "connected PID". On stderr: the lines of http.awk, and of a body that is not whole when the
# input ends "body N of M bytes", or "body N bytes, chunked". Of the body up to 256 KiB are read and counted; none is kept. At the end of the
# body, or where none is to be read, it ends the process PID: a server may keep the connection. Argument: the path; one that asks to watch or to
# follow may be silent at will.
lib=${0%/*}
# Children that outlive us would become zombies of the target; a subshell forgets this.
trap 'wait; exit 143' TERM
# A hostile server could send one endless header: the reader may not grow.
# shellcheck disable=SC3045
ulimit -S -v 8192
eol=$(printf '\r.')
eol=${eol%.}

# The lines of the head and no byte more, as far as 200, of each the first 4096 bytes. What is no HTTP ends with its first line.
head_lines() {
  printf '%s\n' "$first"
  n=0 status='' cut='' bound='-n 4096'
  # dash, in the demo without busybox, has no -n: there the limit of memory alone bounds a line.
  # shellcheck disable=SC3045
  read -r -n 1 _ </dev/null 2>/dev/null
  [ "$?" -lt 2 ] || bound=''
  # shellcheck disable=SC2086,SC3045
  while [ "$n" -lt 200 ] && { IFS= read -r $bound text || [ -n "$text" ]; }; do
    n=$((n + 1))
    before=$cut cut=''
    [ "${#text}" -lt 4096 ] || cut=1
    [ -z "$before" ] || continue
    printf '%s\n' "$text"
    case $status$text in
      HTTP/*' 1'[0-9][0-9]*) ;;
      HTTP/*) status=' ' ;;
      ' ' | " $eol") return ;;
      '' | "$eol" | ' '* | 'nc: '* | 'ssl_client: '*) ;;
      # Fields of an interim answer, or no HTTP.
      *) case $n in 1) return ;; esac ;;
    esac
  done
}

hang_up() { [ -z "$pid" ] || kill "$pid" 2>/dev/null; }

IFS= read -r first
pid=''
case $first in 'connected '[0-9]*) pid=${first#* } first=connected ;; esac
head=$(trap 'wait; exit 143' TERM && head_lines | busybox awk -f "$lib/http.awk" 2>&1)
printf '%s\n' "$head" >&2
case $head in
  *'body length '*)
    whole=${head##*'body length '}
    want=$whole
    [ "$want" -le 262144 ] || want=262144
    got=$(trap 'wait; exit 143' TERM && busybox head -c "$want" | busybox wc -c)
    [ "$got" -ge "$want" ] || echo "body $got of $whole bytes" >&2
    ;;
  *'body chunked')
    case $1 in
      *[?\&]watch=* | *[?\&]follow=*) ;;
      *)
        # Its last words tell whether it read all that it may.
        busybox dd bs=4096 count=64 | {
          busybox awk -f "$lib/http-chunks.awk"
          # Else dd waits for more.
          hang_up
        }
        ;;
    esac
    ;;
esac
hang_up
