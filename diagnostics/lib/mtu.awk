# One GET of so many bytes, in one piece; stdin and stdout are the connection. Arguments: Host, bytes. Says on stderr that something came
# back: an answer in any protocol, or the end of the connection. What it is, is not looked at.

BEGIN {
  head = "GET / HTTP/1.1\r\nHost: " ARGV[1] "\r\nUser-Agent: autodiagnose\r\nConnection: close\r\nX-Padding: "
  pad = ARGV[2] - length(head) - 4
  text = "........"
  while (length(text) < pad) text = text text
  print "connected" > "/dev/stderr"
  printf "%s%s\r\n\r\n", head, substr(text, 1, pad > 0 ? pad : 0)
  fflush()
  ARGC = 1
  getline answer
  print "answered" > "/dev/stderr"
  exit
}
