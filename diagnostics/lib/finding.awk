# finding(id, severity, title, cause, next, evidence) in awk, as in check.sh: prints what is wrong, of the evidence at most 40 lines. Variable: check.
# $bad counts them. The words must be ours, or numbers and addresses: nothing is masked here.

function finding(id, severity, title, cause, following, evidence,   n, i, row) {
  bad++
  print "not ok - " substr(title, 1, 300)
  print "  ---\n  check: " check "\n  id: \"" check "/" id "\"\n  severity: " severity
  if (cause != "") print "  cause: \"" cause "\""
  if (following != "") print "  next: \"" following "\""
  if (evidence != "") print "  evidence: |"
  n = split(evidence, row, "\n")
  for (i = 1; i <= n && i <= 40; i++) if (row[i] != "") print "    " substr(row[i], 1, 400)
  print "  ..."
}
