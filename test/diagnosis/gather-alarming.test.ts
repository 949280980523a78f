import { describe, expect, test } from 'vitest'
import { isAlarming } from '../../src/diagnosis/gather/alarming-line.ts'
import { logFindings } from '../../src/diagnosis/gather/log-findings.ts'
import type { Readings } from '../../src/diagnosis/gather/readings.ts'
import type { TargetReading } from '../../src/diagnosis/gather/target.ts'
import { tellingLine } from '../../src/diagnosis/gather/troubled-line.ts'

describe('a healthy program says', () => {
  test.each([
    'error budget 99.98 % left; fatal=0 panic=0',
    'cycle 17: 0 errors, 0 failed, 14 posted',
    '127.0.0.1 - - [27/Nov/2026 18:50:54] code 404, message File not found',
    '127.0.0.1 - - [27/Nov/2026 18:50:54] "GET /favicon.ico HTTP/1.1" 404 -',
    '10.0.0.9 - - [27/Nov/2026:18:50:54 +0000] "GET /admin HTTP/1.1" 403 153 "-" "curl/8.5.0"',
    '10.0.0.9 - - [27/Nov/2026:18:50:54 +0000] GET /robots.txt HTTP/1.1 404 153',
    'recovered: last error was cleared by operator',
    'recovered: last error was cleared by operator, connection refused count is 0',
    'connection refused count is 0',
    'retry policy: a payment that failed is sent again after 30 s, timeout handling enabled',
    'order 17: payment failed at first, was repeated and is done',
    'ok=12 changed=0 unreachable=0 failed=0',
    'waiting for new connections, timeout 30 s',
    '0 retries exhausted, exceptions: none',
    'frame 17 encoded',
    'level=info msg=lookup succeeded key=17',
    'cache lookup failed for key cart-17, asking the database',
    'level=info msg="lookup rejected" key=17',
    'seeded, 3 rows failed validation and were skipped',
    'deadlock detection is on; no OOM seen',
    'LOG_LEVEL=ERROR',
    'log level set to ERROR',
    '{"logLevel":"error","retry":{"onTimeout":true,"maxErrors":5}}',
    'level: error',
    'http_requests_total{code="500",handler="/cart"} 0',
    'errors_total 0 timeouts_total 0 panics_total 0',
    'requests: 120 ok, 0 timed out, 0 refused',
    'timed out: 0, connection reset by peer: 0',
    'will retry on connection refused, at most 5 times',
    'retrying if the connection timed out is enabled',
    'attempt 1: connection refused; attempt 2 succeeded',
    'connection reset by peer 17 min ago, fine since',
    'INFO client timeout is 30s, retries on error',
    'DEBUG ignoring ECONNRESET of idle client',
    'loaded 12 error messages in 3 languages',
    'GET /fail 200 1.4 ms',
    'level=info msg=request method=GET path=/missing status=404 took=2ms',
    '{"level":"info","msg":"request","status":401,"path":"/login"}',
    'WARN deprecated option "timeout" is ignored',
    'compiled ErrorBoundary.tsx, FatalPage.tsx, exceptions.ts',
    'stack: java, spring, panic button, critical css',
    'registered handlers: onError, onTimeout, onFatal',
    'uploaded 500 of 503 rows',
    'status=200 answered 404 rows',
    'session 17 of alice timed out, closed',
    'idle connection timed out',
    'client 10.0.0.9:41234 disconnected: connection reset by peer',
    'config.local.yaml: no such file or directory, using built-in defaults',
    'level=warn msg=request method=GET path=/missing status=404',
    '{"method":"GET","path":"/login","status":401,"referer":"https://shop.example/","user_agent":"x"}',
    'http: TLS handshake error from 10.0.0.1:41234: EOF',
    '2026/11/27 18:50:54 [notice] 1#1: signal 17 (SIGCHLD) received',
  ])('%s', (line) => {
    expect(isAlarming(line)).toBe(false)
  })
})

describe('trouble is', () => {
  test.each([
    'ERROR cannot write cart: disk is on fire',
    '2026-11-27T18:50:54Z ERROR [cart] it broke',
    '2026-11-27 18:50:54,123 - shop - CRITICAL - it broke',
    'level=error msg="it broke"',
    '{"time":"2026-11-27T18:50:54Z","severity":"ERROR","message":"it broke"}',
    '{"level":50,"time":1,"msg":"it broke"}',
    'E1127 18:50:54.123456       1 reflector.go:147] it broke',
    '2026/11/27 18:50:54 [error] 7#7: *1 it broke',
    'Traceback (most recent call last):',
    "KeyError: 'SMTP_HOST'",
    'Exception in thread "main" java.lang.IllegalStateException: it broke',
    'panic: it broke',
    "thread 'main' panicked at src/main.rs:2:5:",
    'Error: getaddrinfo ENOTFOUND cache',
    'feed skipped: [Errno -3] Temporary failure in name resolution',
    'could not connect to ledger:7000: [Errno -2] Name or service not known',
    'dial tcp 10.0.0.1:80: connect: connection refused',
    'curl: (28) Operation timed out after 5001 milliseconds with 1 out of 5000 bytes received',
    'curl: (60) SSL certificate problem: certificate has expired',
    'segment 7: Too many open files',
    "head: error writing 'standard output': No space left on device",
    'rpc error: code = Unavailable desc = it broke',
    'WARNING mailer.auth: introspection failed: HTTP Error 401: Unauthorized',
    'level=warn msg="lookup rejected" status=429',
    'WARN geocoder answered 429 Too Many Requests',
    'till.charge attempt rejected upstream=payments code=502 Bad Gateway',
    '{"level":"warn","msg":"geocoding put off","status":429,"url":"http://geo:5050/v2/lookup"}',
    'INFO GET http://stock:8080/: 500 Internal Server Error',
    'level=error msg=request path=/cart status=500 err="it broke"',
    'level=warn msg=proxied path=/cart upstream=cart status=502',
    'dial tcp 10.0.0.1:80: i/o timeout, session 17',
  ])('%s', (line) => {
    expect(isAlarming(line)).toBe(true)
  })
})

const said = (log: string, called: readonly string[] = []) => {
  const logs = new Map([['app', { current: log, previous: '' }]])
  return logFindings({ container: 'app' } as TargetReading, { logs } as unknown as Readings, [], called).map(({ title }) => title)
}

test('whose answer it is, is told where the log does not say it', () => {
  const line = 'WARN introspection failed: HTTP Error 401: Unauthorized'
  expect(said(line, ['idp:3000'])).toEqual([`The log of container app speaks of trouble, it calls idp:3000: ${line}`])
  expect(said(`${line} by idp`, ['idp:3000'])).toEqual([`The log of container app speaks of trouble: ${line} by idp`])
  expect(said('ERROR cart is full', ['idp:3000'])).toEqual(['The log of container app speaks of trouble: ERROR cart is full'])
  expect(said(line, ['a:1', 'b:2', 'c:3', 'd:4'])).toEqual([`The log of container app speaks of trouble: ${line}`])
})

test('a code tells more than what explains it', () => {
  const log = [
    'curl: (60) SSL certificate problem: certificate has expired',
    'More details here: https://curl.se/docs/sslcerts.html',
    '',
    'curl failed to verify the legitimacy of the server and therefore could not',
    'establish a secure connection to it. To learn more about this situation and',
    'how to fix it, please visit the web page mentioned above.',
  ].join('\n')
  expect(tellingLine(log)).toBe('curl: (60) SSL certificate problem: certificate has expired')
  expect(tellingLine(`${log}\nERROR cart is full`)).toBe('ERROR cart is full')
  expect(said(log)).toEqual(['The log of container app speaks of trouble: curl: (60) SSL certificate problem: certificate has expired'])
})
