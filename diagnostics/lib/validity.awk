# From when until when the first certificate of a PEM file is valid, as "FROM UNTIL" (20261122210000): the first two times that follow each other in
# its DER. Of it 4 KiB are read.

/^-----BEGIN CERTIFICATE/ { on = 1; next }
/^-----END/ && on { exit }
on && length(text) < 5600 { gsub(/[^A-Za-z0-9+\/]/, ""); text = text $0 }

# Digits out of so many bytes; "x" for what is none.
function digits(at, count,   out) { for (out = ""; count > 0; count--) { out = out (byte[at] >= 48 && byte[at] <= 57 ? byte[at] - 48 : "x"); at++ } return out }
# UTCTime (23, 13 bytes) or GeneralizedTime (24, 15 bytes)
function time(at) {
  if (byte[at] == 23 && byte[at + 1] == 13) return (byte[at + 2] < 53 ? "20" : "19") digits(at + 2, 12)
  return byte[at] == 24 && byte[at + 1] == 15 ? digits(at + 2, 14) : ""
}
END {
  letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for (i = 1; i + 3 <= length(text); i += 4) {
    for (value = k = 0; k < 4; k++) value = value * 64 + index(letters, substr(text, i + k, 1)) - 1
    byte[n++] = int(value / 65536)
    byte[n++] = int(value / 256) % 256
    byte[n++] = value % 256
  }
  for (i = 0; i + 32 < n; i++) {
    from = time(i)
    if (from == "") continue
    end = time(i + byte[i + 1] + 2)
    if (from end ~ /^[0-9]+$/ && end != "") { print from, end; exit }
  }
}
