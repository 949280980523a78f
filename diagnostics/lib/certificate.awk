# The server's certificates, out of what it sent in hex (od -tx1): of the leaf "valid FROM UNTIL" (as 20261122210000) and "names A B …"; of
# the chain "issuer NAME", "chain …" in words, and "trust PATTERN …", what base64 of an issuer's name looks like in a PEM file; or "alert N",
# "no TLS"; "version TLS N" where the server chose an old one, "asks" where it asks for a certificate of its client. No signature is verified.
# Where the server took the connection, "connected" comes first. Lengths are what the server says: none is followed behind the bytes that
# came, for reading byte[i] makes an element of it. Needs der.awk.

$0 == "connected" { print; next }
{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9a-f][0-9a-f]$/ && n < 40000) byte[n++] = $i }

# DER: where the content of the element at `at` begins, and where it ends.
function into(at) { return hex[byte[at + 1]] < 128 ? at + 2 : at + 2 + hex[byte[at + 1]] - 128 }
function past(at) { return into(at) + (hex[byte[at + 1]] < 128 ? hex[byte[at + 1]] : number(at + 2, hex[byte[at + 1]] - 128)) }
function raw(from, to,   out) { for (out = ""; from < to && from < m; from++) out = out byte[from]; return out }
# The value of an attribute of a name, by the end of its OID 2.5.4.x.
function attribute(from, to, kind) {
  for (; from + 7 < to && from + 7 < m; from++)
    if (byte[from] byte[from + 1] byte[from + 2] byte[from + 3] byte[from + 4] == "06035504" kind) return text(from + 7, hex[byte[from + 6]])
  return ""
}
function name(from, to,   out) {
  out = attribute(from, to, "03")
  if (out == "") out = attribute(from, to, "0a")
  gsub(/["\\#]/, "?", out)
  return out == "" ? "(without a name)" : substr(out, 1, 80)
}
function encode(from, to,   out, v) {
  for (out = ""; from + 3 <= to; from += 3) {
    v = number(from, 3)
    out = out substr(digits, int(v / 262144) + 1, 1) substr(digits, int(v / 4096) % 64 + 1, 1) substr(digits, int(v / 64) % 64 + 1, 1) substr(digits, v % 64 + 1, 1)
  }
  return out
}

# Notes issuer and subject of the certificate at `at`, the count-th.
function read_names(at,   issuer, subject) {
  at = into(into(at))
  if (byte[at] == "a0") at = past(at)
  issuer = past(past(at)) # after the serial number and the algorithm
  subject = past(past(issuer)) # after the time of validity
  if (past(subject) > m) return
  count++
  issuers[count] = raw(issuer, past(issuer)); issued_by[count] = name(issuer, past(issuer))
  subjects[count] = raw(subject, past(subject)); issued_to[count] = name(subject, past(subject))
  # At one of three offsets the name begins a group of base64.
  if (past(issuer) - issuer >= 15 && past(issuer) - issuer <= 1024) trust = trust " " encode(issuer, past(issuer)) " " encode(issuer + 1, past(issuer)) " " encode(issuer + 2, past(issuer))
}
function tell_chain(   i, words) {
  if (!count) return
  print "issuer " issued_by[1]
  if (issuers[1] == subjects[1]) words = "self-signed"
  else {
    for (i = 2; i <= count && issuers[i - 1] == subjects[i]; i++);
    if (i <= count) words = "broken, \"" issued_to[i] "\" is sent where \"" issued_by[i - 1] "\" belongs"
    else if (issuers[count] == subjects[count]) words = "complete up to \"" issued_by[count] "\""
    else words = (count == 1 && fetchable ? "incomplete, " : "") "of " count ", issued by \"" issued_by[count] "\", which is not sent"
  }
  print "chain " words
  print "trust" trust
}
function tell_names(from, to,   i, k, size, extra, names, end) {
  for (i = from; i + 8 < to; i++) if (byte[i] byte[i + 1] byte[i + 2] byte[i + 3] byte[i + 4] == "0603551d11") break
  if (i + 8 >= to) return
  # Subject alternative names: OCTET STRING of a SEQUENCE; lengths over 127 take more bytes.
  i += 5
  if (byte[i] == "01") i += 3
  for (k = 0; k < 2; k++) { size = hex[byte[i + 1]]; i += 2; if (size > 128) { extra = size - 128; size = number(i, extra); i += extra } }
  names = ""
  for (end = i + size; i < end && i < to; i += 2 + hex[byte[i + 1]]) {
    if (byte[i] == "82") names = names " " text(i + 2, hex[byte[i + 1]])
    else if (byte[i] == "87" && byte[i + 1] == "04") names = names " " hex[byte[i + 2]] "." hex[byte[i + 3]] "." hex[byte[i + 4]] "." hex[byte[i + 5]]
  }
  print "names" substr(names, 1, 500)
}
# What else the server says in the clear: the version that it chose (we offer 1.2), and CertificateRequest behind its certificates.
function tell_hello(   at) {
  if (byte[0] == "02" && byte[4] == "03" && hex[byte[5]] < 3) print "version " (byte[5] == "00" ? "SSL 3.0" : "TLS 1." hex[byte[5]] - 1)
  for (at = 0; at + 4 <= m; at += 4 + number(at + 1, 3)) if (byte[at] == "0d") { print "asks"; return }
}

END {
  digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  # Take the records apart; what is kept is the handshake's bytes.
  m = 0
  for (at = 0; at + 5 <= n; at += 5 + size) {
    size = number(at + 3, 2)
    if (byte[at] == "15" && size == 2 && !m) { print "alert " hex[byte[at + 6]]; exit }
    if (byte[at] == "15") break
    if (byte[at] != "16") { print "no TLS"; exit }
    # In place: what is kept never reaches what is read.
    for (i = 0; i < size && at + 5 + i < n; i++) byte[m++] = byte[at + 5 + i]
  }
  for (at = 0; at + 4 <= m && byte[at] != "0b"; at += 4 + number(at + 1, 3));
  if (at + 10 > m) { print n ? "no certificate" : "nothing"; exit }
  all = at + 7 + number(at + 4, 3)
  from = at + 10
  to = from + number(at + 7, 3)
  if (all > m) all = m
  if (to > m) to = m
  tell_validity(from, to)
  tell_names(from, to)
  # Authority information access with an address of the issuer's certificate (id-ad-caIssuers): there is one between it and the root.
  fetchable = index(raw(from, to), "06082b06010505073002") > 0
  for (at = at + 7; at + 3 < all && at + 3 < m && count < 8; at += 3 + number(at, 3)) read_names(at + 3)
  tell_chain()
  tell_hello()
}
