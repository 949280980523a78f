/** A pattern of Go's `regexp` package (RE2 syntax) as a JavaScript one, with the names of its groups. */
export interface GoRegExp {
  /** Compiled with the flags `d`, `g` and `v`. Groups have no names there: Go allows the same name twice, JavaScript does not. */
  readonly regexp: RegExp
  /** The name of each group, `''` for none; the first group is at index 0. */
  readonly groups: readonly string[]
}

interface Flags {
  readonly i: boolean
  readonly m: boolean
  readonly s: boolean
  readonly U: boolean
}

/** Classes that have names, as what stands between `[` and `]`. */
const posix: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  ascii: String.raw`\u{0}-\u{7f}`,
  blank: String.raw`\t `,
  cntrl: String.raw`\u{0}-\u{1f}\u{7f}`,
  digit: '0-9',
  graph: String.raw`\!-\~`,
  lower: 'a-z',
  print: String.raw` -\~`,
  punct: String.raw`\!-\/\:-\@\[-\x60\{-\~`,
  space: String.raw`\t\n\v\f\r `,
  upper: 'A-Z',
  word: 'A-Za-z0-9_',
  xdigit: 'A-Fa-f0-9',
}
/** Go's `\s` has no vertical tab, and all three are ASCII only. */
const perl: Readonly<Record<string, string>> = { d: '0-9', w: 'A-Za-z0-9_', s: String.raw`\t\n\f\r ` }
const controls: Readonly<Record<string, string>> = { a: String.raw`\u{7}`, f: '\\f', n: '\\n', r: '\\r', t: '\\t', v: '\\v' }
const start = '(?<![^])'
const end = '(?![^])'

/**
 * Translates a pattern. Throws a SyntaxError that says what cannot be translated: look-around and back-references, which Go does not have
 * either, `\C`, and what is wrong in both languages.
 *
 * Syntax: https://github.com/google/re2/wiki/Syntax
 */
export function goRegExp(pattern: string): GoRegExp {
  const translator = new Translator(pattern)
  const source = translator.translate()
  return { regexp: new RegExp(source, 'dgv'), groups: translator.groups }
}

/** All matches, one after the other. As in Go, an empty match right behind another does not count. */
export function* matchesOf(pattern: GoRegExp, text: string): Generator<RegExpExecArray> {
  let last = -1
  for (const match of text.matchAll(pattern.regexp)) {
    if (match[0] !== '' || match.index !== last) yield match
    last = match.index + match[0].length
  }
}

class Translator {
  readonly groups: string[] = []
  readonly #pattern: string
  #at = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  translate(): string {
    const source = this.#alternatives({ i: false, m: false, s: false, U: false })
    if (this.#at < this.#pattern.length) throw new SyntaxError('it has a ")" without a "("')
    return source
  }

  /** All up to the end of the group. A flag that is set inside holds until there, in later alternatives too, so what it covers gets a group. */
  #alternatives(outer: Flags): string {
    let flags = outer
    let out = ''
    let piece = ''
    const close = () => {
      out += piece === '' || flags.i === outer.i ? piece : `(?${flags.i ? 'i' : '-i'}:${piece})`
      piece = ''
    }
    while (this.#at < this.#pattern.length && this.#peek() !== ')') {
      const set = /^\(\?([imsU]*)(?:-([imsU]+))?\)/.exec(this.#pattern.slice(this.#at))
      if (set) {
        close()
        this.#at += set[0].length
        flags = withFlags(flags, set[1], set[2])
      } else if (this.#eat('|')) {
        close()
        out += '|'
      } else piece += this.#atom(flags) + this.#quantifier(flags)
    }
    close()
    return out
  }

  #atom(flags: Flags): string {
    if (this.#eat('(')) return this.#group(flags)
    if (this.#eat('[')) return this.#class()
    if (this.#eat('.')) return flags.s ? '[^]' : '[^\\n]'
    if (this.#eat('^')) return flags.m ? '(?<![^\\n])' : start
    if (this.#eat('$')) return flags.m ? '(?![^\\n])' : end
    if (this.#eat('\\')) return this.#escape()
    if (/[*+?]/.test(this.#peek())) throw new SyntaxError(`"${this.#peek()}" at ${this.#at} has nothing to repeat`)
    return literal(this.#next())
  }

  #group(flags: Flags): string {
    const rest = this.#pattern.slice(this.#at)
    const look = /^\?<?[=!]/.exec(rest)
    if (look) throw new SyntaxError(`"(${look[0]}" is look-around, which Go does not have`)
    const head = /^\?(?:P?<(\w+)>|([imsU]*)(?:-([imsU]+))?:)/.exec(rest)
    if (rest.startsWith('?') && !head) throw new SyntaxError(`"(${rest.slice(0, 3)}" begins no group that Go knows`)
    this.#at += head?.[0].length ?? 0
    let open = '('
    let inner = flags
    if (head && head[1] === undefined) {
      inner = withFlags(flags, head[2], head[3])
      open = inner.i === flags.i ? '(?:' : inner.i ? '(?i:' : '(?-i:'
    } else this.groups.push(head?.[1] ?? '')
    const body = this.#alternatives(inner)
    if (!this.#eat(')')) throw new SyntaxError('it has a "(" without a ")"')
    return `${open}${body})`
  }

  #quantifier(flags: Flags): string {
    const match = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#pattern.slice(this.#at))
    if (!match) return ''
    this.#at += match[0].length
    const lazy = this.#eat('?') !== flags.U
    if (/^[*+?]/.test(this.#peek())) throw new SyntaxError(`"${match[0]}${this.#peek()}" repeats a repetition`)
    return match[0] + (lazy ? '?' : '')
  }

  /** What follows a backslash outside a class. */
  #escape(): string {
    const char = this.#next()
    if (char === '') throw new SyntaxError('it ends with a backslash')
    if (char === 'A') return start
    if (char === 'z') return end
    if (char === 'b' || char === 'B') return `\\${char}`
    if (char === 'Q') {
      const end = this.#pattern.indexOf('\\E', this.#at)
      const text = this.#pattern.slice(this.#at, end < 0 ? undefined : end)
      this.#at = end < 0 ? this.#pattern.length : end + 2
      return [...text].map(literal).join('')
    }
    return this.#character(char)
  }

  /** A character or a class of characters, after the backslash: the same inside and outside of brackets. */
  #character(char: string): string {
    const set = perl[char.toLowerCase()]
    if (set) return char === char.toLowerCase() ? `[${set}]` : `[^${set}]`
    if (char === 'p' || char === 'P') return this.#property(char)
    const control = controls[char]
    if (control) return control
    const hex = char === 'x' ? /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#pattern.slice(this.#at)) : null
    if (hex) {
      this.#at += hex[0].length
      return `\\u{${hex[1] ?? hex[2]}}`
    }
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(char + this.#pattern.slice(this.#at, this.#at + 2))
    if (octal) {
      this.#at += octal[0].length - 1
      return `\\u{${Number.parseInt(octal[0], 8).toString(16)}}`
    }
    if (/[1-9]/.test(char)) throw new SyntaxError(`"\\${char}" is a back-reference, which Go does not have`)
    if (/[A-Za-z0-9]/.test(char)) throw new SyntaxError(`"\\${char}" is no escape that can be translated`)
    return literal(char)
  }

  #property(char: string): string {
    const match = /^(?:(\^?)([A-Z])|\{(\^?)(\w+)\})/.exec(this.#pattern.slice(this.#at))
    const name = match?.[2] ?? match?.[4]
    if (!match || !name) throw new SyntaxError(`"\\${char}" names no property`)
    this.#at += match[0].length
    const negated = (char === 'P') !== ((match[1] ?? match[3]) === '^')
    for (const property of [name, `Script=${name}`]) {
      const source = `\\${negated ? 'P' : 'p'}{${property}}`
      try {
        new RegExp(source, 'v')
        return source
      } catch {}
    }
    throw new SyntaxError(`"\\${char}${match[0]}" is no property of characters that is known`)
  }

  /** A class, after its `[`. */
  #class(): string {
    let out = this.#eat('^') ? '[^' : '['
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#at >= this.#pattern.length) throw new SyntaxError('it has a "[" without a "]"')
      const named = /^\[:(\^?)(\w+):\]/.exec(this.#pattern.slice(this.#at))
      if (named) {
        const set = posix[named[2] ?? '']
        if (set === undefined) throw new SyntaxError(`"${named[0]}" is no class`)
        this.#at += named[0].length
        out += `[${named[1]}${set}]`
        continue
      }
      out += this.#member()
    }
    this.#at++
    return `${out}]`
  }

  /** A character, a range, or a class inside a class. */
  #member(): string {
    const low = this.#classCharacter()
    if (/^(?:\[|\\[pP])./.test(low) || !/^-[^\]]/.test(this.#pattern.slice(this.#at, this.#at + 2))) return low
    this.#at++
    return `${low}-${this.#classCharacter()}`
  }

  #classCharacter(): string {
    const char = this.#next()
    return char === '\\' ? this.#character(this.#next()) : literal(char)
  }

  #peek(): string {
    return this.#pattern[this.#at] ?? ''
  }

  #eat(char: string): boolean {
    if (this.#pattern[this.#at] !== char) return false
    this.#at++
    return true
  }

  /** The next character, both halves of a surrogate pair at once. */
  #next(): string {
    const code = this.#pattern.codePointAt(this.#at)
    if (code === undefined) return ''
    const char = String.fromCodePoint(code)
    this.#at += char.length
    return char
  }
}

function withFlags(flags: Flags, on = '', off = ''): Flags {
  const has = (flag: keyof Flags) => (flags[flag] || on.includes(flag)) && !off.includes(flag)
  return { i: has('i'), m: has('m'), s: has('s'), U: has('U') }
}

/** A character as itself, inside and outside a class. */
function literal(char: string): string {
  if (/[\^$\\.*+?()[\]{}|/]/.test(char)) return `\\${char}`
  return /[&\-!#%,:;<=>@`~]/.test(char) ? `\\x${char.charCodeAt(0).toString(16)}` : char
}
