# finding(id, severity, title, cause, next, evidence) in awk, as in check.sh: prints what is wrong. Variable: check. $bad counts them.
# The words must be ours, or numbers and addresses: nothing is masked here.

function finding(id, severity, title, cause, following, evidence) {
  bad++
  print "not ok - " title
  print "  ---\n  check: " check "\n  id: \"" check "/" id "\"\n  severity: " severity
  if (cause != "") print "  cause: \"" cause "\""
  if (following != "") print "  next: \"" following "\""
  if (evidence != "") {
    gsub(/\n/, "\n    ", evidence)
    print "  evidence: |\n    " evidence
  }
  print "  ..."
}
