# What the first words of a server that turns a connection away mean, in words of ours; nothing where they do not. Input: the words in hex, as of
# od -tx1.

BEGIN {
  for (i = 0; i < 256; i++) value[sprintf("%02x", i)] = i
  mysql[1040] = "too many connections"
  mysql[1129] = "this host is blocked after too many connection errors"
  mysql[1130] = "this host is not allowed to connect"
  mysql[1203] = "its user has too many connections"
}
{ for (i = 1; i <= NF; i++) { byte[++n] = value[$i]; text = text (byte[n] < 32 || byte[n] > 126 ? "?" : sprintf("%c", byte[n])) } }
END {
  # An error packet in place of the greeting: length, number 0, 255, code.
  if (n >= 7 && byte[4] == 0 && byte[5] == 255 && byte[1] + 256 * byte[2] == n - 4) {
    code = byte[6] + 256 * byte[7]
    print ((code in mysql) ? mysql[code] " " : "") "(MySQL error " code ")"
    exit
  }
  text = tolower(text)
  if (text ~ /too many|max(imum)? (number of )?(clients|connections)|max(imum)? ?(clients|connections|startups) |exceeded maxstartups/) print "too many connections"
  else if (text ~ /^(421|554)[ -]/) print "it gives no service now (" substr(text, 1, 3) ")"
}
