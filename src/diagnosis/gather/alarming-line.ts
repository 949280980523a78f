import { isCalm } from './troubled-line.ts'

/**
 * Whether a line of a log is a sign of trouble by itself, in a container that runs: by its level, as an exception, by an error of the
 * system, of a client or of gRPC, or by the status that another server answered. Words as "failed" or "timeout" alone are none: healthy
 * programs tell of policies, of counts, and of what was repeated and is done.
 */
export function isAlarming(line: string): boolean {
  if (line.length > maxLine) return isAlarming(line.slice(0, maxLine))
  if (isAccess(line) || isCalm(line)) return false
  const said = line.replaceAll(harmless, ' ')
  if (levelOf(said) || thrown.test(said) || died.test(said) || answered(said)) return true
  return systemError.test(said) && !ended.test(said)
}

const maxLine = 4000

/** What a server writes of each request: the trouble of a caller. */
function isAccess(line: string): boolean {
  if (
    /\b(?:path|uri|request_uri|route)["']?\s*[=:]\s*["']?\//i.test(line) &&
    !/https?:\/\/|\bupstream\b|\bbackend\b/i.test(line.replaceAll(callers, ' '))
  ) {
    return !levelOf(line)
  }
  return /\b(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \/\S*["']?( HTTP\/\d(\.\d)?["']?,?)? [1-5]\d\d\b|\bcode [1-5]\d\d, message /.test(line)
}

/** Of who asks. */
const callers = /["']?\b(?:http_)?(?:referr?er|origin|user_?agent)["']?\s*[=:]\s*(?:"[^"]*"|\S+)/gi

const trouble =
  '(?:errors?|err|fail(?:ed|ures?|s)?|exceptions?|fatals?|panics?|critical|rejected|denied|missing|broken pipes?|time-?outs?|timed out|(?:connections? )?(?:refused|reset)(?: by peer)?|unreachable|retries|oom|ECONN\\w+|ETIMEDOUT)'
const nothing = '(?:0(?:\\.0+)?(?: ?%)?|no|none|nil|null|false|off|never|<nil>|\\[\\]|\\{\\}|"")(?![\\w.])'
/** What is counted zero, denied, or told of as what may come: `0 errors`, `connection refused count is 0`, `retries on timeout`. */
const harmless = new RegExp(
  [
    `\\b(?:no|0|zero|without(?: any)?|none of|never) (?:[a-z]+ )?${trouble}\\b`,
    `\\b${trouble}["']?(?: (?:count|total|rate|lines|so far|seen))?(?:["']?\\s*[=:]\\s*["']?| (?:is|are|was|were) )${nothing}`,
    `\\b(?:on|if|when|upon|unless|in case of|treats?|ignores?|ignoring|handles?|handling|expects?|expected)(?: an?| the)? (?:\\w+ ){0,2}${trouble}\\b`,
    '\\blog(?:ging)?[ _.-]?level["\']?(?: is| set to| to)?\\s*[=:]?\\s*["\']?[a-z]+',
    '\\b(?:sessions?|idle|leases?|keep-?alive|tokens?|long poll)\\b(?: \\S+){0,3} timed out\\b',
    '\\bclient\\b(?: \\S+){0,3} (?:closed|disconnected|left|gone|went away)\\b.*',
    '\\berror (?:budget|rate|handler|reporting|page)s?\\b',
  ].join('|'),
  'gi',
)

/** Above a warning: `ERROR`, `[error]`, `level=fatal`, `"severity":"ERROR"`, `E1127 18:50:54.1` of klog. */
function levelOf(line: string): boolean {
  return (
    /^.{0,100}?(?:^|[\s[(|<])(?:ERROR|FATAL|PANIC|CRITICAL|SEVERE|EMERG)(?=[\s\]):|>,]+\S)(?!\s*[=:]\s*\d)/.test(line) ||
    /^.{0,100}?[[<](?:error|crit|alert|emerg|fatal)[\]>]/i.test(line) ||
    /(?:^|[\s,{"'])(?:level|lvl|levelname|severity|log\.level)["']?[=:]\s*["']?(?:error|err|eror|fatal|panic|dpanic|critical|crit|alert|emerg\w*)\b["']?[\s,]+["']?\w/i.test(
      line,
    ) ||
    /^\{.*"level":\s*(?:50|60)\b.*"msg"/.test(line) ||
    /^[EF]\d{4} \d\d:\d\d:\d\d/.test(line) ||
    // MongoDB, and the head of an entry of .NET, whose words are on the next line.
    /^\{.{0,80}"s":\s*"[EF]"/.test(line) ||
    /^(?:fail|crit): [\w.`+]+\[\d+\]$/.test(line)
  )
}

/** How languages write an exception or an end by their own: `KeyError: 'x'`, `panic: …`, `thread 'main' panicked at …`. */
const thrown =
  /^Traceback \(most recent|^(?:panic|fatal error|fatal|error|Uncaught \w+): \S|\b(?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?: \S|^Exception in thread|^Caused by: |\bpanicked at\b|\b(?:Unhandled|Uncaught) (?:exception|error|rejection|promise)|\b[Ss]egmentation fault\b|core dumped/

/** How supervisors tell of a process that did not end by itself: uWSGI, PHP-FPM, Celery, a cluster of Node.js. */
const died = /\bworker \S+ (?:\(pid:? ?\d+\) )?(?:died|crashed)\b|\b(?:exited|terminated|killed) (?:on|with|by) '?signal (?:4|6|7|8|9|11)\b/i

const systemError =
  /\bconnection (?:was )?(?:refused|reset by peer|timed out)\b|\brefused (?:the )?connection\b|\bbroken pipe\b|\bno such (?:file or directory|host)\b|\bpermission denied\b|\boperation not permitted\b|\btimed out\b|\bdeadline exceeded\b|\bi\/o timeout\b|\bno route to host\b|\b(?:network|host) is unreachable\b|\bname or service not known\b|\btemporary failure in name resolution\b|\bserver misbehaving\b|\bno space left on device\b|\btoo many open files\b|\bcannot allocate memory\b|\bread-only file system\b|\baddress (?:already )?in use\b|\bdisk quota exceeded\b|\binput\/output error\b|\bstale file handle\b|\bresource temporarily unavailable\b|\bcertificate (?:has expired|verify failed|is not (?:yet )?valid|signed by unknown)|\bx509: |\bErrno -?\d+|\bE(?:CONN[A-Z]+|TIMEDOUT|NOTFOUND|AI_[A-Z]+|ACCES|PERM|MFILE|NOSPC|ROFS|HOSTUNREACH|NETUNREACH|PIPE|NOENT|ADDRINUSE)\b|\bcurl: \(\d+\)|\brpc error: code = (?!OK)|\bHTTP Error [45]\d\d\b|\b(?:DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|UNAUTHENTICATED|PERMISSION_DENIED)\b/i

/** Told as over in the same line. */
const ended =
  /\b(?:re-?connected|recovered|succeeded|resolved|cleared|(?:is|was) (?:done|repeated)|using (?:\w+[- ]){0,3}defaults?|fall(?:ing|s) back|fell back|ignor(?:ed|ing)|optional|(?:worked|ok|fine|well|up|healthy) (?:again|now|since)|done after)\b/i

/** A status that means trouble, of an answer that this program got; of those that it gives itself its own log says nothing here. */
function answered(line: string): boolean {
  if (/\b5\d\d (?:Internal|Bad|Service|Gateway)\b/.test(line)) return true
  const [, code] = /\b(?:status|code|status[_ ]?code|http[_.]status(?:_code)?)["']?\s*[=: ]\s*["']?([45]\d\d)\b/i.exec(line) ?? []
  const asked = code ?? /\b(?:answer(?:ed|s)?|respon(?:ded|ds|se)|returned|got|replied)(?: with)?:? (?:HTTP )?([45]\d\d)\b/i.exec(line)?.[1]
  if (asked === undefined || ended.test(line)) return false
  const warned = /\bWARN(?:ING)?\b|\b(?:level|lvl|severity)["']?[=:]\s*["']?warn/i.test(line)
  return warned || (/https?:\/\/|\bupstream\b|\bbackend\b/i.test(line) && /^(?:401|403|429|5\d\d)$/.test(asked))
}

/** The status of an answer that a line tells of as trouble. */
export function isAboutAnAnswer(line: string): boolean {
  return answered(line) || /\bHTTP Error [45]\d\d\b|\bcurl: \(\d+\)|\btimed out\b|\bcertificate\b/i.test(line)
}
