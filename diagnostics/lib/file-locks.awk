# Who waits for the lock of a file (flock, fcntl) all the time between two looks at /proc/locks, with a line "again" between them: "PID HOLDER" a
# line, of three. In the first look the lines of those that wait are enough. Of locks that belong to an open file, the holder is -1.

$0 == "again" { again = 1; next }
$2 == "->" { if (!again) waited[$6, $7]++; else if (waited[$6, $7] && holder[$1] + 0 != 0 && !told[$6]++ && n++ < 3) print $6, holder[$1]; next }
again { holder[$1] = $5 }
