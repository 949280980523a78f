/** Whether a line of a log speaks of trouble. Its words are those of the common languages' and clients' own messages. */
export function isTroubled(line: string): boolean {
  return trouble.test(line) && !(untroubled.test(line) && !trouble.test(line.replaceAll(untroubledAll, '')))
}

const trouble =
  /\b(\w*errors?|\w*exceptions?|fail(s|ed|ure|ures|ing)?|fatal|panic|critical|refused|time[ds]? ?-?out|timeout|unreachable|no such (host|file)|unavailable|denied|forbidden|cannot|can't|could not|couldn't|unable to|no space left|too many|reset by peer|broken pipe|deadline exceeded|not found|not set|missing|required|unknown host|x509|E[A-Z]{4,}|5\d\d (Internal|Bad|Service|Gateway))\b/i

const untroubled =
  /\b(no|0|without) (errors?|failures?)\b|\b(errors?|failed|failures?|exceptions?|err)["']?\s*[=:]\s*["']?(0|nil|null|none|false|<nil>|\[\])(?![\w.])/i
const untroubledAll = new RegExp(untroubled, 'gi')

/** Of the end of a log the line that tells most: the last one in trouble that is no part of a stack trace, else the last one. */
export function tellingLine(log: string): string | undefined {
  const lines = log
    .split('\n')
    .slice(-60)
    .filter((line) => line.trim() !== '')
  return lines.findLast((line) => isTroubled(line) && !stack.test(line)) ?? lines.at(-1)
}

const stack = /^(\s|at |goroutine \d|exit status|Traceback|\[signal )|^\S+\(.*\)$/
