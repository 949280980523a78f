# The server's certificate, out of what it sent in hex (od -tx1): prints "valid FROM UNTIL" (as 20261122210000), "names A B …", "alert N", "no TLS".
# Only the leaf is read, and its chain is not verified. Where the server took the connection, "connected" comes first.

$0 == "connected" { print; next }
{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9a-f][0-9a-f]$/ && n < 40000) byte[n++] = $i }

function number(at, size,   value) { for (value = 0; size > 0; size--) value = value * 256 + hex[byte[at++]]; return value }
function text(at, size,   out) { for (out = ""; size > 0; size--) out = out sprintf("%c", hex[byte[at++]]); return out }
function time(tag, digits) { if (tag == "17") digits = (substr(digits, 1, 2) < "50" ? "20" : "19") digits; return substr(digits, 1, 14) }

END {
  for (i = 0; i < 256; i++) hex[sprintf("%02x", i)] = i
  # Take the records apart; what is kept is the handshake's bytes.
  m = 0
  for (at = 0; at + 5 <= n; at += 5 + size) {
    size = number(at + 3, 2)
    if (byte[at] == "15" && size == 2 && !m) { print "alert " hex[byte[at + 6]]; exit }
    if (byte[at] == "15") break
    if (byte[at] != "16") { print "no TLS"; exit }
    for (i = 0; i < size && at + 5 + i < n; i++) shake[m++] = byte[at + 5 + i]
  }
  for (i = 0; i < m; i++) byte[i] = shake[i]
  for (at = 0; at + 4 <= m && byte[at] != "0b"; at += 4 + number(at + 1, 3));
  if (at + 10 > m) { print n ? "no certificate" : "nothing"; exit }
  size = number(at + 7, 3)
  last = at + 10 + size
  for (i = at + 10; i + 30 < last && !dated; i++) {
    # SEQUENCE of two times: UTCTime (17 0d) or GeneralizedTime (18 0f)
    if (byte[i] != "30" || !(byte[i + 2] == "17" && byte[i + 3] == "0d" || byte[i + 2] == "18" && byte[i + 3] == "0f")) continue
    first = hex[byte[i + 3]]
    j = i + 4 + first
    if (byte[j] != "17" && byte[j] != "18") continue
    print "valid " time(byte[i + 2], text(i + 4, first)) " " time(byte[j], text(j + 2, hex[byte[j + 1]]))
    dated = 1
  }
  for (i = at + 10; i + 8 < last; i++) if (byte[i] byte[i + 1] byte[i + 2] byte[i + 3] byte[i + 4] == "0603551d11") break
  if (i + 8 >= last) exit
  # Subject alternative names: OCTET STRING of a SEQUENCE; lengths over 127 take more bytes.
  i += 5
  if (byte[i] == "01") i += 3
  for (k = 0; k < 2; k++) { size = hex[byte[i + 1]]; i += 2; if (size > 128) { extra = size - 128; size = number(i, extra); i += extra } }
  names = ""
  for (end = i + size; i < end && i < last; i += 2 + hex[byte[i + 1]]) {
    if (byte[i] == "82") names = names " " text(i + 2, hex[byte[i + 1]])
    else if (byte[i] == "87" && byte[i + 1] == "04") names = names " " hex[byte[i + 2]] "." hex[byte[i + 3]] "." hex[byte[i + 4]] "." hex[byte[i + 5]]
  }
  gsub(/[^ -~]/, "?", names)
  print "names" substr(names, 1, 500)
}
