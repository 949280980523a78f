/** Whether a line of a log speaks of trouble. Its words are those of the common languages' and clients' own messages. */
export function isTroubled(line: string): boolean {
  return trouble.test(line) && !(untroubled.test(line) && !trouble.test(line.replaceAll(untroubledAll, '')))
}

const trouble =
  /\b(\w*errors?|\w*exceptions?|fail(s|ed|ure|ures|ing)?|fatal|panic|critical|refused|time[ds]? ?-?out|timeout|unreachable|no such (host|file)|unavailable|denied|forbidden|cannot|can't|could not|couldn't|unable to|no space left|too many|reset by peer|broken pipe|deadline exceeded|not found|not set|missing|required|unknown host|x509|E[A-Z]{4,}|5\d\d (Internal|Bad|Service|Gateway))\b/i

const counted = '(?:errors?|err|fail(?:ed|ures?|s)?|exceptions?|time-?outs?|timed out|refused|denied|missing|rejected|critical|fatal)'
const untroubled = new RegExp(
  `\\b(?:no|0|zero|without(?: any)?) (?:[a-z]+ )?${counted}\\b|\\b${counted}["']?\\s*[=:]\\s*["']?(?:0|nil|null|none|false|<nil>|\\[\\])(?![\\w.])`,
  'i',
)
const untroubledAll = new RegExp(untroubled, 'gi')

/** Whether whoever wrote the line says that it is for information, and no answer in it fails: `INFO client timeout is 30s`. */
export function isCalm(line: string): boolean {
  return informal.test(line) && !failing.test(line)
}

const informal = /^.{0,80}?(?:\b(?:INFO|DEBUG|TRACE|NOTICE)\b|\blevel["']?[=:]\s*["']?(?:info|debug|trace)\b|"severity":\s*"(?:INFO|DEBUG)")/
const failing =
  /\b(refused|panic|fatal|exception|unreachable|no such host|no space left|too many open|5\d\d (Internal|Bad|Service|Gateway)|timed out|deadline exceeded)\b/i

/**
 * Of the end of a log the line that tells most: the last one that calls itself fatal, else the last one in trouble; none of a stack trace,
 * and none that only explains the code of an error before it. Without trouble, the last line.
 */
export function tellingLine(log: string): string | undefined {
  const lines = log
    .split('\n')
    .slice(-60)
    .filter((line) => line.trim() !== '')
  const telling = (line: string) => isTroubled(line) && !stack.test(line)
  const last = lines.findLastIndex(telling)
  const coded = lines.slice(Math.max(0, last - maxExplaining), last + 1).findLast((line) => code.test(line) && telling(line))
  return lines.findLast((line) => deadly.test(line) && !stack.test(line)) ?? coded ?? lines[last] ?? lines.at(-1)
}

/** Lines after one with a code that explain it, as those of curl do. */
const maxExplaining = 4
const code = /\bcurl: \(\d+\)/

const deadly = /\b(fatal|panic|critical|uncaught|unhandled)\b/i
const stack = /^(\s|at |goroutine \d|exit status|Traceback|\[signal )|^\S+\(.*\)$/
