# shellcheck shell=sh
# The connection is stdin and stdout: sends one GET, and becomes what copies the answer to stderr, one process that ends when it is told to.
# Arguments: Host header, path. Says first that it is connected, and its PID.
echo "connected $$" >&2
printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: autodiagnose\r\nAccept: */*\r\nConnection: close\r\n\r\n' "$2" "$1"
# Not cat: its sendfile() holds the lock of the pipe as it waits, and whoever reads that waits, too.
exec 3>&2 2>/dev/null
exec busybox dd bs=4096 >&3
