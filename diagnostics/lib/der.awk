# Of a certificate in DER, its bytes in hex as byte[0] and so on, for certificate.awk and validity.awk.

BEGIN { for (i = 0; i < 256; i++) hex[sprintf("%02x", i)] = i }

function number(at, size,   value) { for (value = 0; size > 0; size--) value = value * 256 + hex[byte[at++]]; return value }
function text(at, size,   out) { for (out = ""; size > 0; size--) out = out sprintf("%c", hex[byte[at++]]); gsub(/[^ -~]/, "?", out); return out }
function time(tag, digits) { if (tag == "17") digits = (substr(digits, 1, 2) < "50" ? "20" : "19") digits; return substr(digits, 1, 14) }
# Prints "valid FROM UNTIL", as 20261122210000.
function tell_validity(from, to,   i, j, size, begin, end) {
  for (i = from; i + 30 < to; i++) {
    # SEQUENCE of two times: UTCTime (17 0d) or GeneralizedTime (18 0f)
    if (byte[i] != "30" || !(byte[i + 2] == "17" && byte[i + 3] == "0d" || byte[i + 2] == "18" && byte[i + 3] == "0f")) continue
    size = hex[byte[i + 3]]
    j = i + 4 + size
    if (byte[j] != "17" && byte[j] != "18") continue
    begin = time(byte[i + 2], text(i + 4, size))
    end = time(byte[j], text(j + 2, hex[byte[j + 1]]))
    if (begin end ~ /^[0-9]+$/) print "valid " begin " " end
    return
  }
}
