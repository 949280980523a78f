/** Whether a line of a log speaks of trouble. Its words are those of the common languages' and clients' own messages. */
export function isTroubled(line: string): boolean {
  return speaks(line) && !(untroubled.test(line) && !speaks(line.replaceAll(untroubledAll, '')))
}

const speaks = (line: string) => trouble.test(line) || systemCode.test(line) || head.test(line)

/** Of an entry of .NET, whose words are on the next lines. */
const head = /^(?:fail|crit): \S+\[\d+\]\s*$/

/** As ECONNREFUSED, and as no word of English. */
const systemCode = /\bE[A-Z]{4,}\b/

const trouble =
  /\b(\w*errors?|\w*exceptions?|fail(s|ed|ure|ures|ing)?|fatal|panic|critical|refused|time[ds]? ?-?out|timeout|unreachable|no such (host|file)|unavailable|denied|forbidden|cannot|can't|could not|couldn't|unable to|no space left|too many|reset by peer|broken pipe|deadline exceeded|not found|not set|missing|required|unknown|unrecogni[sz]ed|unsupported|invalid|illegal|incompatible|malformed|corrupt(ed)?|panicked|uncaught|unhandled|not defined|does not exist|expired|exceed(s|ed)|exhausted|unexpected|mismatch|rejected|declined|conflicts?|crash(ed|es)|already (in use|exists)|too (small|low|large|big|long|old)|x509|5\d\d (Internal|Bad|Service|Gateway))\b/i

const counted =
  '(?:errors?|err|fail(?:ed|ures?|s)?|exceptions?|time-?outs?|timed out|refused|denied|missing|rejected|critical|fatal|panic|unknown|invalid)'
const untroubled = new RegExp(
  `\\b(?:no|0|zero|without(?: any)?) (?:[a-z]+ )?${counted}\\b|\\b${counted}["']?\\s*[=:]\\s*["']?(?:0|nil|null|none|false|<nil>|\\[\\])(?![\\w.])`,
  'i',
)
const untroubledAll = new RegExp(untroubled, 'gi')

/** Whether whoever wrote the line says that it is for information, and no answer in it fails: `INFO client timeout is 30s`. */
export function isCalm(line: string): boolean {
  return informal.test(line) && !failing.test(line)
}

/** By name; by the number that pino has, or the letter of MongoDB and klog. */
const informal =
  /^.{0,80}?(?:\b(?:INFO|DEBUG|TRACE|NOTICE)\b|\blevel["']?[=:]\s*["']?(?:info|debug|trace|[123]0,)\b|"severity":\s*"(?:INFO|DEBUG)"|"s":\s*"[ID]")|^I\d{4} \d\d:/
const failing =
  /\b(refused|panic|fatal|exception|unreachable|no such host|no space left|too many open|5\d\d (Internal|Bad|Service|Gateway)|timed out|deadline exceeded)\b/i

/**
 * Of the end of a log the line that tells most: the last one that calls itself fatal, else the last one in trouble. None of a stack trace,
 * and none that only explains the code of an error before it; one that only says that it all came to nothing, or where to read on, where
 * there is no other. Without trouble, the last line.
 */
export function tellingLine(log: string): string | undefined {
  const lines = linesOf(log).slice(-60)
  const telling = (line: string) => isTroubled(line) && !stack.test(line)
  const saying = (line: string) => telling(line) && !isHollow(line)
  const last = lines.findLastIndex(saying)
  const coded = lines.slice(Math.max(0, last - maxExplaining), last + 1).findLast((line) => code.test(line) && telling(line))
  const found =
    lines.findLast((line) => deadly.test(line) && saying(line) && !isCalm(line)) ?? coded ?? lines.findLast((line) => saying(line) && !isCalm(line))
  return found ?? lines[last] ?? lines.findLast(telling) ?? lines.at(-1)
}

const linesOf = (log: string) => log.split('\n').filter((line) => line.trim() !== '')

/** Lines after one with a code that explain it, as those of curl do. */
const maxExplaining = 4
const code = /\bcurl: \(\d+\)/

const deadly = /\b(fatal|panic|panicked|critical|uncaught|unhandled)\b/i
const stack = /^(\s(?! *(?:what\(\)|\*\* \())|at |goroutine \d|exit status|Traceback|\[signal )|^\S+\(.*\)$/

/** That something did not begin or was ended, and not why: what a supervisor, a loader or the end of a program says after the cause. */
const hollow = [
  /\b(?:exited|exiting(?: \w+)?) with (?:exit )?(?:code|status)\b|\bexiting abnormally\W*$|\bexited: \S+ \(.*|\bentered FATAL state\b.*/i,
  /\b(?:command|script|process|child|worker) \S* ?(?:failed|died|exited)(?: with (?:exit )?(?:code|status):? \d+)?\W*$/i,
  /\b(?:shutting|shut|going) down\b(?:: \w+)?\W*$/i,
  /\b(?:aborting|exiting|terminating|giving up|quitting|program will exit)\W*$/i,
  /\b(?:failed|unable|not able) to (?:start|boot|initiali[sz]e|launch|load)(?: (?:the )?(?:\w+ ){0,2}(?:server|application|app|service|program|process|workers?|node|broker|configuration|config|up|mode))?(?: in \S+ mode)?\W*$/i,
  /\b(?:initiali[sz]ation|start-?up|boot|configuration|config|application|application run|run|server)(?: file \S+)?(?: test)? failed\W*(?:exiting\W*)?$/i,
  /\b(?:(?:fatal|invalid) )?(?:configuration|config|start-?up)(?: (?:error|exception))?(?:, exiting abnormally)?\W*$/i,
  /\b(?:fatal )?errors?(?:\(s\))? found in (?:the )?configuration(?: file)?\b/i,
  /\bcould not create the java virtual machine\b|\ba fatal exception has occurred\b/i,
  /\b(?:fatal|due to (?:an? |the )?(?:\w+ )?) ?(?:exception|error)s?(?: during (?:\w+ )?start-?up)?\b\W*(?:prepare to shutdown\b.*|\(\S+\)\W*)?$/i,
  /^npm (?:ERR!|error) (?:code|errno|path|command|signal|Exit status|A complete log)\b.*/,
  /^make(?:\[\d+\])?: \*\*\*.*/,
  /^note: run with `.*|^.*\bDeprecationWarning:.*|^.*\bThis error originated either by\b.*|\bfor (?:more|further) (?:details|information|help)\b.*|\ba complete log of this run\b.*/i,
]

/** How a line calls itself. */
const levels = /\b(?:ERROR|FATAL|CRITICAL|PANIC|ALERT|EMERG)\b/gi

/** One that says nothing else: `cannot open /data: permission denied, exiting` does. */
const isHollow = (line: string) => hollow.some((one) => one.test(line) && !speaks(line.replace(one, ' ').replaceAll(levels, ' ')))

/**
 * A line of a log with what stands after it, where it only begins to say: it ends in a colon, is the head of an entry of .NET, counts what
 * a model of Python lacks, or has details.
 */
export function wholeOf(log: string, line: string): string {
  const lines = linesOf(log)
  // Frames of asterisks say nothing.
  const after = lines.slice(lines.lastIndexOf(line) + 1).filter((one) => /\w/.test(one))
  const more = !lines.includes(line) ? [] : head.test(line) ? entryOf(after) : after.slice(0, unsaid(line.trim()))
  const whole = [line, ...more].map((one) => one.trim())
  const [, detail] = (whole.length === 1 && lines.includes(line) && /\bDETAIL: +(.+)$/.exec(after[0] ?? '')) || []
  return detail === undefined ? whole.join(' ') : `${whole[0]}: ${detail}`
}

/** What stands indented below the head of an entry, without the frames of a stack. */
function entryOf(after: readonly string[]): readonly string[] {
  const end = after.findIndex((line) => !/^\s/.test(line) || /^\s+at /.test(line))
  return after.slice(0, Math.min(2, end < 0 ? after.length : end))
}

/** How many lines more it takes. */
function unsaid(line: string): number {
  if (/\b\d+ validation errors? for \S+$/.test(line)) return 2
  return /:$|\bduring initialization of VM$/.test(line) ? 1 : 0
}
