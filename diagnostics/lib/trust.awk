# Exits with 0 if a PEM file holds a certificate with one of the patterns, in base64. Variable: patterns.

BEGIN { n = split(patterns, pattern, " ") }
/^-----BEGIN/ { body = ""; next }
/^-----END/ { for (i = 1; i <= n; i++) if (index(body, pattern[i])) { found = 1; exit } next }
{ sub(/\r$/, ""); if (length(body) < 20000) body = body $0 }
END { exit !found }
