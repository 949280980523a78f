# The head of an HTTP answer on stderr, or what else is spoken ("no HTTP"), as the lines "status CODE TEXT", "location URL", "date DATE", "age SECONDS", and "at connected TIME",
# "at answered TIME", in seconds since the machine started. Last comes "body length BYTES" or "body chunked" where one is to be read:
# of success, and no stream that need not end.

function tell(text) {
  gsub(/[^ -~]/, "?", text)
  print substr(text, 1, 2000) > "/dev/stderr"
}
function tell_time(what,   text) {
  if ((getline text < "/proc/uptime") > 0) {
    sub(/ .*/, "", text)
    tell("at " what " " text)
  }
  close("/proc/uptime")
}
# The first frame of HTTP/2: SETTINGS (type 4), of a length that 6 divides; what read it has dropped its zeros.
function settings(text,   at) {
  at = index(text, sprintf("%c", 4))
  return at == 1 || at == 2 && index(sprintf("%c%c%c%c%c$", 6, 12, 18, 24, 30), substr(text, 1, 1))
}
# What the first words of other protocols look like.
function protocol(text) {
  if (settings(text)) return ", but HTTP/2 alone"
  if (text ~ /^SSH-/) return ", but SSH"
  if (text ~ /^220[ -]/) return text ~ /FTP/ ? ", but FTP" : ", but SMTP"
  if (text ~ /^-(ERR|DENIED|NOAUTH)/) return ", but the protocol of Redis"
  if (text ~ /^\+OK/) return ", but POP3"
  if (text ~ /^\* OK/) return ", but IMAP"
  if (text ~ /^AMQP/) return ", but AMQP"
  if (text ~ /mysql_native_password|caching_sha2_password/) return ", but the protocol of MySQL"
  return ""
}
# Header fields that are of use; each once.
function tell_field(text,   name) {
  name = tolower(substr(text, 1, index(text, ":") - 1))
  if (name ~ /^(content-length|transfer-encoding|content-type)$/) {
    sub(/^[^:]*:[ \t]*/, "", text)
    sub(/[ \t]*$/, "", text)
    field[name] = tolower(text)
  }
  if (name !~ /^(location|date|age)$/ || told[name]++) return
  sub(/^[^:]*:[ \t]*/, "", text)
  tell(name " " text)
}

function tell_body(   size) {
  if (status !~ /^2/ || status ~ /^20[45]/ || field["content-type"] ~ /event-stream|ndjson|grpc|x-mixed-replace|stream\+json|json-seq/) return
  size = field["content-length"]
  if (field["transfer-encoding"] == "chunked") tell("body chunked")
  else if (field["transfer-encoding"] == "" && size ~ /^[0-9]+$/ && length(size) < 16) tell("body length " size)
}

BEGIN {
  for (n = 0; n < 200 && (getline text) > 0; n++) {
    sub(/\r$/, "", text)
    if (text ~ /^HTTP\/[0-9.]+ [0-9][0-9][0-9]/) {
      # An interim answer, as 100 Continue, is none yet.
      if (text ~ /^HTTP\/[0-9.]+ 1/) { interim = 1; continue }
      interim = 0
      tell_time("answered")
      sub(/^HTTP\/[0-9.]+ /, "", text)
      tell("status " substr(text, 1, 100))
      status = text
    } else if (interim) continue
    else if (!status) {
      # What ssl_client or nc says; never a line of another protocol, which may hold anything.
      if (text == "connected") { tell(text); tell_time("connected") }
      else if (text ~ /^(ssl_client|nc): /) tell(text)
      else if (text != "") { tell("no HTTP" protocol(text)); exit }
    } else if (text == "") { tell_body(); exit }
    else tell_field(text)
  }
}
