# Numbers and addresses of the kernel's socket tables.

function number(text,   i, value) {
  value = 0
  for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789ABCDEF", toupper(substr(text, i, 1))) - 1
  return value
}
# Addresses are hexadecimal words of 4 bytes, each in the order of the machine (little-endian).
function address(text,   i, out, word) {
  if (length(text) == 8) return number(substr(text, 7, 2)) "." number(substr(text, 5, 2)) "." number(substr(text, 3, 2)) "." number(substr(text, 1, 2))
  if (text ~ /^0+$/) return "[::]"
  if (text == "00000000000000000000000001000000") return "[::1]"
  if (text ~ /^0000000000000000FFFF0000/) return address(substr(text, 25))
  out = ""
  for (i = 0; i < 4; i++) {
    word = substr(text, i * 8 + 1, 8)
    out = out (i ? ":" : "") sprintf("%x:%x", number(substr(word, 7, 2) substr(word, 5, 2)), number(substr(word, 3, 2) substr(word, 1, 2)))
  }
  return "[" out "]"
}
# ADDRESS:PORT as one reads it.
function endpoint(text,   at) {
  at = index(text, ":")
  return address(substr(text, 1, at - 1)) ":" number(substr(text, at + 1))
}
