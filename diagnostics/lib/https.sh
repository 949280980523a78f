# shellcheck shell=sh
# The connection is stdin and stdout: puts TLS around one GET. Arguments: host, Host header, path. Becomes ssl_client, one process that ends
# when it is told to; the chain of certificates is not verified. What is said comes out on stderr.
echo "connected $$" >&2
exec 3<&0
eol=$(printf '\r\n.')
eol=${eol%.}
exec busybox ssl_client -s 3 -n "$1" >&2 <<END
GET $3 HTTP/1.1${eol}Host: $2${eol}User-Agent: autodiagnose${eol}Accept: */*${eol}Connection: close${eol}${eol}
END
