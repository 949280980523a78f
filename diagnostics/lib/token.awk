# When a token of a service account expires: out of its payload (the second part of a JWT in base64url) the number "exp", and nothing else.
# Prints seconds since 1970, or nothing.

BEGIN {
  letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  for (i = 1; i <= 64; i++) digit[substr(letters, i, 1)] = i - 1
}

NR == 1 {
  if (split($0, part, ".") != 3 || length(part[2]) > 6000) exit
  for (i = 1; i <= length(part[2]); i++) {
    bits = bits * 64 + digit[substr(part[2], i, 1)]
    if (++n % 4) continue
    text = text char(int(bits / 65536)) char(int(bits / 256) % 256) char(bits % 256)
    bits = 0
    if (length(text) > 60) look()
  }
  if (n % 4 == 3) text = text char(int(bits / 1024)) char(int(bits / 4) % 256)
  if (n % 4 == 2) text = text char(int(bits / 16))
  look()
  exit
}

END { if (expires != "") print expires }

function char(code) { return code ? sprintf("%c", code) : "" }

# Keeps enough of the text for a number that goes on.
function look() {
  if (expires == "" && match(text, /"exp":[0-9]+[,}]/)) expires = substr(text, RSTART + 6, RLENGTH - 7)
  if (length(text) > 60) text = substr(text, length(text) - 29)
}
