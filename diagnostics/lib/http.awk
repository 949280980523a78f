# The head of an HTTP answer, as the lines "status CODE TEXT" and "location URL" on stderr; the body is not read. With the arguments Host and
# path it sends the request first: stdin and stdout are the connection then.

function tell(text) {
  gsub(/[^ -~]/, "?", text)
  print substr(text, 1, 2000) > "/dev/stderr"
}

BEGIN {
  if (ARGC > 2) {
    tell("connected")
    printf "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: autodiagnose\r\nAccept: */*\r\nConnection: close\r\n\r\n", ARGV[2], ARGV[1]
    fflush()
  }
  ARGC = 1
  for (n = 0; n < 200 && (getline text) > 0; n++) {
    sub(/\r$/, "", text)
    if (text ~ /^HTTP\/[0-9.]+ [0-9][0-9][0-9]/) {
      sub(/^HTTP\/[0-9.]+ /, "", text)
      tell("status " substr(text, 1, 100))
      status = 1
    } else if (!status) {
      # What ssl_client or nc says; never a line of another protocol, which may hold anything.
      if (text ~ /^(ssl_client|nc): / || text == "connected") tell(text)
      else tell("no HTTP")
    } else if (text == "") exit
    else if (tolower(text) ~ /^location:/) {
      sub(/^[^:]*:[ \t]*/, "", text)
      tell("location " text)
    }
  }
}
