# Places in a configuration that something was to fill in. Input: its text, no line over 1000 bytes. Prints "LINE word" each, at most 20; the
# word is the place's own name where it is a plain one, never what stands around it.

/^[ \t]*(#|\/\/|;|!)/ { next }

{
  rest = $0
  while (count < 20 && match(rest, /\$\{[A-Za-z_][A-Za-z0-9_.]*(:[^}]*)?\}|\$\([A-Za-z_][A-Za-z0-9_]*\)|\{\{|%%[A-Za-z0-9_]+%%|@[A-Z][A-Z0-9_]+@|__[A-Z][A-Z0-9_]+__|<no value>|<%=|(CHANGE|REPLACE)[_-]?ME|changeme/)) {
    word = substr(rest, RSTART, RLENGTH)
    rest = substr(rest, RSTART + RLENGTH)
    # A default is a value.
    if (word ~ /^\$\{/) sub(/:.*/, ":(default)}", word)
    if (word == "{{") word = "{{ }}"
    if (word == "<%=") word = "<%= %>"
    if (length(word) > 64) word = "(of " length(word) " characters)"
    count++
    print NR " " word
  }
}
