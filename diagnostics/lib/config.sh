# shellcheck shell=sh
# Looks at a configuration file without printing a value of it; sourced by checks after check.sh.

# Of a larger file only the beginning is read.
config_bytes=131072

# $format becomes json, yaml, properties, ini, env, pem, xml, binary or text, by the name $1 and by the beginning of the file $2.
guess_format() {
  case $1 in
    *.json) format=json ;;
    *.yaml | *.yml) format=yaml ;;
    *.properties) format=properties ;;
    *.ini | *.cfg | *.cnf | *.toml) format=ini ;;
    *.env | .env* | */.env*) format=env ;;
    *) format='' ;;
  esac
  # Bytes that no text has; a NUL would be lost on the way into a variable.
  if [ "$(head -c 4096 "$2" | tr -d '\000-\010\016-\037' | wc -c)" != "$(head -c 4096 "$2" | wc -c)" ]; then format=binary; fi
  [ -z "$format" ] || return 0
  format=$(head -c 8192 "$2" | fold -b -w 1000 | awk '
    { sub(/\r$/, "") }
    /^[ \t]*(#|;|$)/ { next }
    { seen++ }
    seen == 1 && /^-----BEGIN/ { print "pem"; said = 1; exit }
    seen == 1 && /^[ \t]*</ { print "xml"; said = 1; exit }
    seen == 1 && /^\[[A-Za-z0-9_. \/-]+\][ \t]*$/ { print "ini"; said = 1; exit }
    seen == 1 && /^[ \t]*[{[]/ { print "json"; said = 1; exit }
    /^[ \t-]*[A-Za-z0-9_."\/-]+:([ \t]|$)/ { yaml++ }
    /^[ \t]*(export )?[A-Za-z0-9_.-]+[ \t]*=/ { pairs++; if (/^(export )?[A-Z][A-Z0-9_]*=/) env++ }
    seen >= 20 { exit }
    END { if (!said) print (env > 1 && env == seen ? "env" : (pairs > 1 && pairs * 2 > seen ? "properties" : (yaml * 2 > seen ? "yaml" : "text"))) }')
}

# examine FILE OUTLINE: prints the outline as comments (OUTLINE 1) and sets $verdict: "fine COUNT" or "bad LINE what", $twice: "LINE KEY"
# or nothing, and $cut where only the beginning was read. Of formats without a structure the verdict is empty.
examine() {
  verdict='' twice='' cut=0
  [ "$(stat -L -c %s "$1")" -le "$config_bytes" ] || cut=1
  case $format in
    json) said=$(head -c "$config_bytes" "$1" | tr -d '\000\001' | tr '\n' '\001' | fold -b -w 200 | awk -v outline="$2" -v cut="$cut" -f "$lib/config-json.awk") ;;
    yaml | properties | ini | env)
      said=$(head -c "$config_bytes" "$1" | tr -d '\000' | fold -b -w 1000 | awk -v format="$format" -v outline="$2" -v cut="$cut" -f "$lib/config-lines.awk")
      ;;
    *) return 0 ;;
  esac
  printf '%s\n' "$said" | sed -n '/^#/p'
  while read -r word rest; do
    case $word in
      twice) twice=$rest ;;
      bad | fine) verdict="$word $rest" ;;
    esac
  done <<END
$said
END
}

# has_mark FILE: true if it begins with a byte order mark of UTF-8.
has_mark() { [ "$(head -c 3 "$1" | tr -d '\000')" = "$(printf '\357\273\277')" ]; }
