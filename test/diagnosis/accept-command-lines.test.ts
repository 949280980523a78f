import fc from 'fast-check'
import { parse, postprocess, preprocess } from 'micromark'
import { gfm } from 'micromark-extension-gfm'
import { describe, expect, test } from 'vitest'
import { commandLines } from '../../src/diagnosis/accept/command-lines.ts'

const command = '/diagnose shop/cart-1'
const found = (text: string) => commandLines(text).map(({ doubt }) => (doubt === undefined ? 'runs' : 'doubt'))

describe('a line that begins with the command', () => {
  test.each([
    ['alone', command],
    ['between others', `Please look:\n\n${command}\n\nThank you`],
    ['right below a sentence', `Please look\n${command}`],
    ['of another case', '/Diagnose shop/cart-1'],
    ['with a tab behind it', '/diagnose\tshop/cart-1'],
    ['with the line ends of Windows', `Please look\r\n${command}\r\n`],
    ['below code', `\`\`\`\nlog\n\`\`\`\n${command}`],
    ['below code in tildes that holds backticks', `~~~\n\`\`\`\n~~~\n${command}`],
    ['below text that only looks like code', `\`\`\`log\`\`\`\n\n${command}`],
    ['below code after a sentence with code', `Output of \`kubectl\`:\n\`\`\`\nlog\n\`\`\`\n\n${command}`],
    ['below code in a list', `1. see\n\n   \`\`\`\n   log\n   \`\`\`\n\n${command}`],
    ['below deep code in a list', `1. see\n\n    \`\`\`\n    log\n    \`\`\`\n\n${command}`],
    ['below a quotation and an empty line', `> it is slow\n\n${command}`],
    ['below the comment of a template', `<!-- Tell us:\n\`\`\`\nwhat happened\n-->\n${command}`],
    ['right below a comment in one line', `<!-- what -->\n${command}`],
    ['below a comment in one line', `<!-- what -->\n\n${command}`],
    ['below HTML that is closed', `<pre>log</pre>\n\n${command}`],
    ['below a link and an empty line', `See [this](https://example.com) and \`that\`\n\n${command}`],
    ['below a comparison', `a < b\n\n${command}`],
  ])('counts: %s', (_, text) => {
    expect(found(text)).toEqual(['runs'])
  })

  test.each([
    ['in a sentence', `Try ${command}`],
    ['with a space before it', ` ${command}`],
    ['in a list', `- ${command}`],
    ['as another command', '/diagnoses shop/cart-1'],
    ['in code of a line', `\`${command}\``],
    ['in code', `\`\`\`\n${command}\n\`\`\``],
    ['in code with a language', `\`\`\`sh\n${command}\n\`\`\``],
    ['in code in tildes', `~~~\n${command}\n~~~`],
    ['in code that a shorter fence does not end', `\`\`\`\`\n\`\`\`\n${command}\n\`\`\`\``],
    ['in code that another fence does not end', `\`\`\`\n~~~\n${command}`],
    ['in code that a fence with words does not end', `\`\`\`\n\`\`\` end\n${command}`],
    ['in code without an end', `\`\`\`\n${command}`],
    ['in indented code', `    ${command}`],
    ['quoted', `> ${command}`],
    ['quoted without a space', `>${command}`],
    ['quoted twice', `> > ${command}`],
    ['in a comment', `<!-- ${command} -->`],
    ['in a comment of several lines', `<!--\n${command}\n-->`],
    ['in a comment with empty lines', `<!--\n\n${command}\n\n-->`],
    ['in a comment without an end', `<!--\n${command}`],
    ['in preformatted HTML', `<pre>\n${command}\n</pre>`],
    ['where a comment ends', `<!--\n--> ${command}`],
  ])('does not count: %s', (_, text) => {
    expect(found(text)).toEqual([])
  })

  test.each([
    ['right below a quotation', `> it is slow\n${command}`],
    ['right below a quotation in a list', `- > it is slow\n${command}`],
    ['right below a deep quotation in a list', `- see\n\t> it is slow\n${command}`],
    ["in GitLab's block of quotations", `>>>\n${command}\n>>>`],
    ['in a quotation of HTML', `<blockquote>\n\n${command}\n\n</blockquote>`],
    ['in code of HTML', `See <code>\n${command}\n</code>`],
    ['in code over several lines', `See \`this\n${command}\n\``],
    ['in an attribute', `See <img alt="\n${command}\n">`],
    ['in an attribute with empty lines', `<div title="\n\n${command}\n\n">`],
    ['in a comment in a sentence', `See <!--\n\n${command}\n-->`],
    ['in an attribute behind a comment', `<!--\n--> <a title="\n\n${command}\n\n">`],
    ['in a declaration', `<!X\n\n${command}\n\n>`],
    ['in an instruction', `<?x\n\n${command}\n\n?>`],
    ['in a CDATA section', `<![CDATA[\n\n${command}\n]]>`],
    ['in the title of a link that is not shown', `[a]: b "\n${command}\n"`],
    ['in place of the target of a link that is not shown', "[a]:\n/diagnose 'shop/cart-1'"],
    ['below HTML that hides the begin of code', `<div>\n\`\`\`\n\n\`\`\`\n${command}\n\`\`\``],
    ['where code of a list has no end', `- see\n\n  \`\`\`\n${command}`],
    ['where code of a list may have ended', `- see\n  \`\`\`\n  \`\`\`\ntext\n  \`\`\`\n${command}`],
  ])('is in doubt: %s', (_, text) => {
    expect(found(text)).toEqual(['doubt'])
  })
})

const hostile = fc.oneof(
  fc.constantFrom(
    ...['', 'text', '    text', '  text', '- item', '1. item', '  - item', '> quote', '>', '>>>', '***', '# title', '---', '| a | b |', '|---|---|'],
    ...['```', '```sh', '````', '``` x `y`', '~~~', '~~~~', ' ```', '  ```', '   ~~~', '    ```', '- ```', '1. ~~~', '> ```', '  - ```'],
    ...[
      '<div>',
      '</div>',
      '<pre>',
      '</pre>',
      '<!-- a',
      '-->',
      '<!-- a -->',
      'a <!-- b',
      '<?',
      '?>',
      '<a title="',
      '">',
      '<blockquote>',
      '</blockquote>',
    ],
    ...[
      '[a]: b "',
      '[a]:',
      '"',
      '`',
      'a `b',
      'b` c',
      '[a',
      'b](c)',
      '![a',
      '\\`',
      '&lt;',
      '- > ```',
      '> - a',
      '[^1]: a',
      '<details>',
      '\t```',
      '-\ttext',
    ],
  ),
  fc.string({ unit: fc.constantFrom(...'`~<>-!/ \t[]":a1.*#\\') }),
)
const document = fc.array(fc.oneof({ weight: 3, arbitrary: hostile }, { weight: 1, arbitrary: fc.constant(command) }), { maxLength: 14 })

/** Kinds of Markdown in which the words are code, quoted or not seen; by the reference parser. */
const concealing = ['codeFenced', 'codeIndented', 'codeText', 'blockQuote', 'htmlFlow', 'htmlText', 'definition', 'label', 'resource', 'reference']

/** For each line the kinds of Markdown that it stands in. */
function concealed(text: string): Set<number> {
  const parser = parse({ extensions: [gfm()] })
  const events = postprocess(parser.document().write(preprocess()(text, undefined, true)))
  const lines = new Set<number>()
  for (const [step, token] of events) {
    if (step !== 'enter' || !concealing.includes(token.type)) continue
    for (let line = token.start.line; line <= token.end.line; line++) if (line < token.end.line || token.end.column > 1) lines.add(line)
  }
  return lines
}

describe('commandLines', () => {
  test('never runs what Markdown shows as code or as a quotation, or does not show', () => {
    fc.assert(
      fc.property(document, (lines) => {
        const text = lines.join('\n')
        const hidden = concealed(text)
        // Each command line gets a name of its own, so that it is found again.
        const named = lines.map((line, at) => (line === command ? `${command}-${at + 1}` : line)).join('\n')
        const running = commandLines(named).flatMap(({ line, doubt }) => (doubt === undefined ? [Number(line.split('-').at(-1))] : []))
        expect(running.filter((line) => hidden.has(line))).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  test('never runs a line of quoted or fenced text', () => {
    const lines = fc.array(fc.oneof(hostile, fc.constant(command), fc.string()), { maxLength: 10 })
    fc.assert(
      fc.property(lines, (texts) => {
        const flat = texts.map((text) => text.replace(/[\r\n]/g, ' '))
        expect(found(flat.map((line) => `> ${line}`).join('\n'))).toEqual([])
        expect(found(['~~~~~~~~', ...flat.filter((line) => !line.includes('~')), '~~~~~~~~'].join('\n'))).toEqual([])
        expect(found(['<!--', ...flat.filter((line) => !line.includes('-->')), '-->'].join('\n'))).toEqual([])
      }),
    )
  })

  test.each([
    ['open comments', '<!-- '],
    ['open tags', '<a '],
    ['code', '```\n'],
    ['quotations', '>>>\n'],
    ['commands', `${command}\n`],
    ['brackets', '[<`'],
  ])('reads a megabyte of %s', (_, piece) => {
    const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
    expect(commandLines(text).length).toBeLessThan(60_000)
  })
})
