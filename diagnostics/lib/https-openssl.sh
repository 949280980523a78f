# shellcheck shell=sh
# One GET by openssl, where the image has it: it speaks the TLS of today. Arguments: host, Host header, path, address, port. Becomes openssl, one
# process that ends when it is told to; the chain of certificates is not verified. For an address no name is sent.
echo "connected $$"
case $4 in *:*) to="[$4]:$5" ;; *) to=$4:$5 ;; esac
case $1 in *:* | *[0-9].*[0-9].*[0-9].*[0-9]) name=-noservername ;; *) name="-servername $1" ;; esac
eol=$(printf '\r\n.')
eol=${eol%.}
# The name of a host is one word.
# shellcheck disable=SC2086
exec openssl s_client -quiet -connect "$to" $name 2>/dev/null <<END
GET $3 HTTP/1.1${eol}Host: $2${eol}User-Agent: autodiagnose${eol}Accept: */*${eol}Connection: close${eol}${eol}
END
