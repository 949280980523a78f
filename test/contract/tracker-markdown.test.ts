import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundNote, noteLimits } from '../../src/ports/tracker/bound-note.ts'
import { fencedText, markdownText, renderMarkdown } from '../../src/ports/tracker/markdown.ts'
import { markedText, ownNote } from '../../src/ports/tracker/marked-text.ts'
import { byteLength, plainLine, plainLines } from '../../src/ports/tracker/plain-text.ts'
import type { Note } from '../../src/ports/tracker/tracker.ts'
import { decoded, htmlOf as html, textOf as shown } from './markdown-page.ts'
import { exampleNote, hostileNote, hostileTexts } from './tracker-notes.ts'

/** Beside those of all trackers: what means something to GitHub or GitLab alone. */
const texts: readonly string[] = [
  ...hostileTexts,
  '@everyone @org/team cc:@user foo@bar (@a-b) @github/support. /cc @user',
  'owner/repo#1 owner/repo@abcdef1 group/sub!7 &42 ~"two words" %"v 1" $99 [vulnerability:1] [feature_flag:2] *iteration:3 ^alert#4 JIRA-12 GH-7',
  'deadbeef DEADBEEF decade defaced 1234567 0123456789abcdef0123456789abcdef01234567',
  ':rocket: :+1: a:tada:b',
  '$a^2$ $$x$$ $`y`$ `$z$`',
  '[^1] [^note]: text',
  '---\ntitle: front\n---\n\n```mermaid\ngraph TD\n```\n\n~~~~\n/close',
  '/close\n/assign @admin\n```\n/close\n```\n````\n/reopen',
  '::include{file=https://evil.example/x.md}\n[[_TOC_]] [TOC] %{project_name} {+ added +} [- gone -]',
  '`` ` `` ``` `a`` \\` \\| \\\\| | || ` | `',
  '> [!WARNING]\n> text\n>>>\nquote\n>>>',
  'www.evil.example https://evil.example xmpp:a@evil.example/b mailto:a@evil.example a.b@evil.example',
  '![x][y]\n\n[y]: http://evil.example/x.png "t"\n[z]',
  '<a@evil.example> <http://evil.example> <b\nc> <?php ?> <!DOCTYPE x> <![CDATA[x]]> <x-y>',
  'ends in a backslash\\',
  '1. one\n2) two\n+ three\n    code\n\tcode\nSetext\n===',
]

/** What is looked through for mentions and references once the page is made. */
const prose = (page: string) => decoded(page.replace(/<(pre|code|a)\b[\s\S]*?<\/\1>/g, '\u0000').replace(/<[^>]*>/g, '\n'))
const meaningful = /@[\w-]|[#!&~%$^][\w"{]|\bGH-\d|\b[A-Z][A-Z0-9_]+-\d|[0-9a-f]{7}|:[\w+-]+:|:\/\/|www\.\w|\w@|\$|\[|\]|\{|\}|<|>|`|\*|_|\\|\|/i
const render = (note: Note) => renderMarkdown(boundNote(note, renderMarkdown))
const withText = (text: string) => {
  const note = exampleNote({ headline: text, facts: [[text, text]], links: [{ label: text, url: 'https://autodiagnose.example/' }] })
  return { ...note, findings: [{ ...note.findings[0], title: text, evidence: text, cause: text, next: text } as Note['findings'][number]] }
}
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(...texts, '`', '``', '```', '|', '\\', '<', '>', '&', '@', '#', '\n', '\n/', ' ', '[', '](', '**'),
      fc.string({ unit: 'binary' }),
    ),
    {
      maxLength: 12,
    },
  )
  .map((pieces) => pieces.join(''))

describe('renderMarkdown', () => {
  test('says first what was found, then gives facts, then links', () => {
    expect(render(exampleNote())).toMatchInlineSnapshot(`
      "### ERROR: GET \`http://bananas:8080\` answers 500 Internal Server Error

        \`\`\`text
        < HTTP/1.1 500 Internal Server Error
        < Content-Type: text/plain
        * 10.96.3.7 port 8080, 12 ms
        \`\`\`

      **Cause:** The service is reached, its program fails

      **Next step:** Look at the log of the pods behind service bananas

      #### WARN: Container app was restarted 3 times in 10 minutes

      | Fact | Value |
      | --- | --- |
      | Outcome | complete |
      | Target | pod \`fruit/apples-57bcf49487-ddmpn\`, container app, cluster lab |
      | Pod UID | \`0c3e8a51-6a3a-4a8b-9f0e-0d5a7f1e2b3c\` |
      | Requested | by ops at \`2026-11-23T11:59:56.000Z\` |
      | Diagnosis | \`ad-01hzy3v8kq5m7n9p2r4t\` |

      [Diagnosis](<https://autodiagnose.example/diagnoses/ad-01hzy3v8kq5m7n9p2r4t>) · [Bundle (48 KiB)](<https://autodiagnose.example/v1/diagnoses/ad-01hzy3v8kq5m7n9p2r4t/bundle>) · [Log](<https://autodiagnose.example/v1/diagnoses/ad-01hzy3v8kq5m7n9p2r4t/log>)"
    `)
  })

  test('gives a headline of its own where no finding says it', () => {
    expect(render(exampleNote({ headline: 'Nothing was found' }))).toMatch(/^### Nothing was found\n\n#### ERROR: GET `http/)
  })

  test.each([...texts, ...texts.map((text) => `word ${text} word`)])('shows %j as it is, and makes nothing of it', (text) => {
    const page = html(render(withText(text)))
    const line = plainLine(text)
    expect(/<h3>(.*)<\/h3>/.exec(page)?.[1]).toSatisfy((heading: string) => shown(heading) === `ERROR: ${line}`)
    expect(shown(/<pre>([\s\S]*?)<\/pre>/.exec(page)?.[1] ?? '').replace(/^\n+|\n+$/g, '')).toBe(plainLines(text).replace(/^\n+|\n+$/g, ''))
    expect(/<strong>Cause:<\/strong> (.*)<\/p>/.exec(page)?.[1]).toSatisfy((cause: string) => shown(cause) === line)
    expect(Array.from(page.matchAll(/<td>(.*)<\/td>/g), ([, cell]) => shown(cell ?? '')).at(-1)).toBe(line)
    expect(Array.from(page.matchAll(/<a href="([^"]*)">(.*?)<\/a>/g), ([, href, label]) => [href, shown(label ?? '')])).toEqual([
      ['https://autodiagnose.example/', boundNote(withText(text), renderMarkdown).links[0]?.label],
    ])
  })

  test('has no tag that we did not write', () => {
    for (const note of [hostileNote(), ...texts.map(withText)]) {
      const tags = Array.from(html(render(note)).matchAll(/<[^>]*>/g), ([tag]) =>
        tag.replace(/(?<= href=")https:\/\/autodiagnose\.example\/[^"]*/, ''),
      )
      expect(
        tags.filter((tag) => !/^<\/?(h3|h4|p|strong|pre|code|table|thead|tbody|tr|th|td|a)>$|^<code class="language-text">$|^<a href="">$/.test(tag)),
      ).toEqual([])
    }
  })

  test('leaves nothing for what looks for mentions, references and addresses in the finished page', () => {
    for (const note of [hostileNote(), ...texts.map(withText)]) expect(prose(html(render(note)))).not.toMatch(meaningful)
  })

  test('has no line that begins with a command, a comment or front matter', () => {
    for (const note of [hostileNote(), ...texts.map(withText)]) {
      expect(
        render(note)
          .split('\n')
          .filter((line) => line !== '' && !/^(#{3,4} [A-Z]|\*\*(Cause|Next step):\*\* |\| | {2}|\[[^[])/.test(line)),
      ).toEqual(note.findings[0]?.title === note.headline ? [] : [expect.stringMatching(/^### /)])
    }
  })

  test('keeps every note within 60,000 bytes', () => {
    expect(byteLength(render(hostileNote({ findings: 60 })))).toBeLessThanOrEqual(noteLimits.noteBytes)
  })

  test('cannot hold the marker of another note', async () => {
    const other = await markedText('ad-cccccccccccccccccccc', 'text')
    const forged = withText(other.whole)
    const { whole } = await markedText('ad-dddddddddddddddddddd', render(forged))
    expect(await ownNote('1', whole, other)).toBeUndefined()
  })
})

describe('markdownText', () => {
  test.each([
    ['GET http://web:8080 answers 500 Internal Server Error', 'GET `http://web:8080` answers 500 Internal Server Error'],
    ['Container app was restarted 3 times in 10 minutes', 'Container app was restarted 3 times in 10 minutes'],
    ['pod shop/web-57bcf49487-ddmpn, container app (read-only)', 'pod `shop/web-57bcf49487-ddmpn`, container app (read-only)'],
    ['it’s 3.5 s late – why?', 'it’s 3.5 s late – why?'],
    ['漢字 und Größe שלום', '漢字 und Größe שלום'],
    ['@a @b and #1', '`@a @b` and `#1`'],
    ['a|b `c`', '<code>a&#124;b &#96;c&#96;</code>'],
    ['at a/b; c/d: … ... ::', 'at `a/b; c/d`: … `... ::`'],
    ['', ''],
  ])('writes %j as %j', (text, written) => {
    expect(markdownText(text)).toBe(written)
  })

  test('is the text again for a reader, in a heading and in a cell, and means nothing else', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const line = plainLine(text)
        const page = html(`### A ${markdownText(line)}\n\n| a |\n| - |\n| A ${markdownText(line)} |`)
        expect(shown(/<h3>(.*)<\/h3>/.exec(page)?.[1] ?? '')).toBe(`A ${line}`.trimEnd())
        expect(shown(/<td>(.*)<\/td>/.exec(page)?.[1] ?? '')).toBe(`A ${line}`.trimEnd())
        expect(page.match(/<[^>]*>/g)?.filter((tag) => !/^<\/?(h3|table|thead|tbody|tr|th|td|code)>$/.test(tag))).toEqual([])
        expect(prose(page)).not.toMatch(meaningful)
      }),
    )
  })
})

describe('fencedText', () => {
  test('is the lines again for a reader, and one block', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const lines = plainLines(text)
        const page = html(fencedText(lines))
        expect(page).toMatch(/^<pre><code class="language-text">[^<]*<\/code><\/pre>$/)
        expect(shown(page)).toBe(`${lines}\n`)
      }),
    )
  })
})
