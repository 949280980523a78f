# How far the Date of an HTTP answer lies outside of the time in which it was made. Input: the value of the header, as RFC 9110 has it
# ("Sun, 06 Nov 1994 08:49:37 GMT"). Variables: from, until, Unix time before the request and after the answer. Prints the seconds, negative
# where the other clock is behind, 0 where it agrees, and the date as people write it; nothing if the header is no such date.

function days(year, month, day,   era, shifted) {
  # Years that begin in March end with the day that leaps.
  if (month <= 2) { year--; shifted = month + 9 } else shifted = month - 3
  era = int(year / 400)
  year -= era * 400
  return era * 146097 + year * 365 + int(year / 4) - int(year / 100) + int((153 * shifted + 2) / 5) + day - 1 - 719468
}

match($0, /[0-9][0-9]? [A-Z][a-z][a-z] [0-9][0-9][0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] GMT$/) {
  split(substr($0, RSTART), part, /[ :]/)
  month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", part[2]) + 2) / 3
  if (month < 1 || month != int(month)) exit
  said = days(part[3], month, part[1] + 0) * 86400 + part[4] * 3600 + part[5] * 60 + part[6]
  # The header has whole seconds, cut off.
  off = said < from - 1 ? said - from : said > until ? said - until : 0
  printf "%d %04d-%02d-%02d %02d:%02d:%02d UTC\n", off, part[3], month, part[1], part[4], part[5], part[6]
  exit
}
