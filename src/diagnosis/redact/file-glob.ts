/**
 * A fileSelector's glob as a regular expression over a path: `*` any characters but `/`, `**` any, `?` one but `/`, `[ab]`, `[a-z]`, `[!ab]`,
 * `{one,two}`, and `\` before a character that stands for itself. Throws a SyntaxError if a bracket or brace is not closed.
 *
 * Rules: https://github.com/gobwas/glob, with `/` as its separator, as Troubleshoot uses it.
 */
export function fileGlob(glob: string): RegExp {
  let source = ''
  let depth = 0
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at] as string
    if (char === '*' && glob[at + 1] === '*') {
      source += '[^]*'
      at++
    } else if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const set = /^\[(!?)([^\]]+)\]/.exec(glob.slice(at))
      if (!set) throw new SyntaxError('it has a "[" without a "]"')
      const range = /^(.)-(.)$/u.exec(set[2] as string)
      source += `[${set[1] ? '^' : ''}${range ? `${verbatim(range[1] as string)}-${verbatim(range[2] as string)}` : verbatim(set[2] as string)}]`
      at += set[0].length - 1
    } else if (char === '{') {
      source += '(?:'
      depth++
    } else if (char === '}' && depth > 0) {
      source += ')'
      depth--
    } else if (char === ',' && depth > 0) source += '|'
    else if (char === '\\' && at + 1 < glob.length) source += verbatim(glob[++at] as string)
    else source += verbatim(char)
  }
  if (depth > 0) throw new SyntaxError('it has a "{" without a "}"')
  return new RegExp(`^${source}$`)
}

function verbatim(text: string): string {
  return text.replace(/[\^$\\.*+?()[\]{}|/-]/g, '\\$&')
}
