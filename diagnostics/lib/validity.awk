# From when until when the first certificate of a PEM file is valid: "valid FROM UNTIL". Of it 4 KiB are read. Needs der.awk.

/^-----BEGIN CERTIFICATE/ { on = 1; next }
/^-----END/ && on { exit }
on && length(text64) < 5600 { gsub(/[^A-Za-z0-9+\/]/, ""); text64 = text64 $0 }

END {
  letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for (i = 1; i + 3 <= length(text64); i += 4) {
    for (value = k = 0; k < 4; k++) value = value * 64 + index(letters, substr(text64, i + k, 1)) - 1
    byte[n++] = sprintf("%02x", int(value / 65536))
    byte[n++] = sprintf("%02x", int(value / 256) % 256)
    byte[n++] = sprintf("%02x", value % 256)
  }
  tell_validity(0, n)
}
