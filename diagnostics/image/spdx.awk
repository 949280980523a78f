# Makes an SPDX 2.3 document in JSON of two files: packages and files, a line each, as `finish` writes them.
# Variables: name (of the image), created (its time, ISO 8601), digest (of all that is listed), ours (of our own files), verification (SPDX's
# verification code of them: the SHA1 of their sorted SHA1s).

BEGIN { FS = "\t" }

FNR == NR { for (i = 1; i <= 11; i++) package[NR, i] = $i; has[$1] = 1; packages = NR; next }
{ for (i = 1; i <= 3; i++) file[FNR, i] = $i; files = FNR }

END {
  print "{"
  print "  \"spdxVersion\": \"SPDX-2.3\","
  print "  \"dataLicense\": \"CC0-1.0\","
  print "  \"SPDXID\": \"SPDXRef-DOCUMENT\","
  print "  \"name\": " text("autodiagnose-" name) ","
  print "  \"documentNamespace\": " text("https://spdx.org/spdxdocs/autodiagnose-" name "-" digest) ","
  print "  \"creationInfo\": { \"created\": " text(created) ", \"creators\": [\"Organization: autodiagnose\", \"Tool: autodiagnose-image-finish\"] },"
  print "  \"documentDescribes\": [\"SPDXRef-image\"],"
  print "  \"packages\": ["
  printf "    { \"SPDXID\": \"SPDXRef-image\", \"name\": %s, \"versionInfo\": %s, \"supplier\": \"Organization: autodiagnose\",\n", text("autodiagnose-" name), text(ours)
  printf "      \"primaryPackagePurpose\": \"CONTAINER\", \"filesAnalyzed\": false, %s },\n", common("NOASSERTION")
  printf "    { \"SPDXID\": \"SPDXRef-ours\", \"name\": \"autodiagnose\", \"versionInfo\": %s, \"supplier\": \"Organization: autodiagnose\",\n", text(ours)
  printf "      \"filesAnalyzed\": true, \"packageVerificationCode\": { \"packageVerificationCodeValue\": %s }, %s }", text(verification), common("Apache-2.0")
  for (p = 1; p <= packages; p++) one_package(p)
  print "\n  ],\n  \"files\": ["
  for (f = 1; f <= files; f++) one_file(f)
  print "  ],\n  \"relationships\": ["
  printf "    %s", relation("DOCUMENT", "DESCRIBES", "image")
  for (p = 1; p <= packages; p++) printf ",\n    %s", relation("image", "CONTAINS", id(package[p, 1]))
  printf ",\n    %s", relation("image", "CONTAINS", "ours")
  for (f = 1; f <= files; f++) printf ",\n    %s", relation("ours", "CONTAINS", file_id(file[f, 1]))
  for (p = 1; p <= packages; p++) dependencies(p)
  print "\n  ]\n}"
}

function one_package(p,    version, purl) {
  version = package[p, 2]
  purl = package[p, 9] != "" ? package[p, 9] : "pkg:deb/debian/" escape(package[p, 1]) "@" escape(version) "?arch=" package[p, 3]
  printf ",\n    { \"SPDXID\": %s, \"name\": %s, \"versionInfo\": %s,", text("SPDXRef-" id(package[p, 1])), text(package[p, 1]), text(version)
  if (package[p, 6] != "") printf " \"supplier\": %s,", text("Organization: " package[p, 6])
  if (package[p, 7] != "") printf " \"homepage\": %s,", text(package[p, 7])
  printf "\n      \"checksums\": [{ \"algorithm\": \"SHA256\", \"checksumValue\": %s }],", text(package[p, 8])
  if (package[p, 4] != "") printf " \"sourceInfo\": %s,", text("built from the Debian source package " package[p, 4] " " package[p, 5])
  if (package[p, 10] != "") printf "\n      \"licenseComments\": %s,", text("its copyright file names: " package[p, 10])
  printf "\n      \"externalRefs\": [{ \"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": %s }],", text(purl)
  printf "\n      \"filesAnalyzed\": false, %s }", common("NOASSERTION")
}

function common(license) {
  return "\"downloadLocation\": \"NOASSERTION\", \"licenseConcluded\": " text(license) ", \"licenseDeclared\": " text(license) ", \"copyrightText\": \"NOASSERTION\""
}

function one_file(f) {
  printf "    { \"SPDXID\": %s, \"fileName\": %s,\n", text("SPDXRef-" file_id(file[f, 1])), text(file[f, 1])
  printf "      \"checksums\": [{ \"algorithm\": \"SHA1\", \"checksumValue\": %s }, { \"algorithm\": \"SHA256\", \"checksumValue\": %s }],\n", text(file[f, 2]), text(file[f, 3])
  printf "      \"licenseConcluded\": \"NOASSERTION\", \"licenseInfoInFiles\": [\"NOASSERTION\"], \"copyrightText\": \"NOASSERTION\" }%s\n", f < files ? "," : ""
}

# What the package depends on and what is here; of alternatives the first that is.
function dependencies(p,    wants, options, i, j, count, alternatives, wanted, seen) {
  count = split(package[p, 11], wants, /, */)
  for (i = 1; i <= count; i++) {
    alternatives = split(wants[i], options, / *\| */)
    for (j = 1; j <= alternatives; j++) {
      wanted = options[j]
      sub(/[ (:].*/, "", wanted)
      if (!(wanted in has) || wanted == package[p, 1]) continue
      if (!(wanted in seen)) printf ",\n    %s", relation(id(package[p, 1]), "DEPENDS_ON", id(wanted))
      seen[wanted] = 1
      break
    }
  }
}

function relation(from, type, to) {
  return "{ \"spdxElementId\": \"SPDXRef-" from "\", \"relationshipType\": \"" type "\", \"relatedSpdxElement\": \"SPDXRef-" to "\" }"
}

function id(name) { gsub(/[^A-Za-z0-9.-]/, "-", name); return "package-" name }
function file_id(path) { sub(/^\.\//, "", path); gsub(/[^A-Za-z0-9.-]/, "-", path); return "file-" path }

# For a package URL.
function escape(value) { gsub(/%/, "%25", value); gsub(/\+/, "%2B", value); gsub(/:/, "%3A", value); gsub(/~/, "~", value); return value }

function text(value) {
  gsub(/\\/, "\\\\", value)
  gsub(/"/, "\\\"", value)
  gsub(/[\001-\037]/, " ", value)
  return "\"" value "\""
}
