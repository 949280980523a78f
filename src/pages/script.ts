/**
 * The one script, for a diagnosis that is not over: appends the live log, and takes what changed from the page itself,
 * fetched again without its log. A live log that breaks off is opened again until the diagnosis is over: the whole comes once more.
 * Without the script the page refreshes itself.
 */
export const script = String.raw`'use strict'
const maxKept = 5000
const shown = new Map()
let over = false
const live = document.querySelector('[data-follow]')
if (live) {
  for (const part of document.querySelectorAll('[data-part]')) shown.set(part.id, part.outerHTML)
  followLog(live.dataset.follow)
  watchPage()
}

async function followLog(url) {
  const log = document.getElementById('log')
  // When the diagnosis is over, its log is still wanted, but not for ever.
  for (let failures = 0, late = 0; late < 30; failures++, late += over ? 1 : 0) {
    try {
      const response = await fetch(url, { headers: { accept: 'text/plain' } })
      if (!response.ok) throw new Error(response.status)
      // The whole log comes again, from its first line.
      let rest = ''
      let started = false
      let last = []
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        if (!started) clear(log)
        started = true
        const lines = (rest + value).split('\n')
        rest = lines.pop()
        last = [...last, ...lines].slice(-4)
        append(log, lines)
      }
      if (rest) append(log, [rest])
      // Only a log that was read to its end ends with the links. What goes on elsewhere ends without.
      if (last.some((line) => line.startsWith('# diagnosis: '))) return
    } catch {
      // The service or its network is away for a moment.
    }
    await pause(Math.min(500 * 2 ** failures, 10000))
  }
}

function clear(log) {
  log.textContent = ''
  document.getElementById('log-cut').hidden = true
}

function append(log, lines) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60
  const piece = document.createDocumentFragment()
  for (const line of lines) {
    const span = document.createElement('span')
    if (/^\s*not ok\b/.test(line)) span.className = 'bad'
    else if (/^\s*ok\b/.test(line)) span.className = 'fine'
    else if (/^\s*#/.test(line)) span.className = 'note'
    span.textContent = line + '\n'
    piece.append(span)
  }
  log.append(piece)
  if (log.childNodes.length > maxKept) document.getElementById('log-cut').hidden = false
  while (log.childNodes.length > maxKept) log.firstChild.remove()
  if (atEnd) log.scrollTop = log.scrollHeight
}

async function watchPage() {
  for (;;) {
    await pause(document.hidden ? 10000 : 1500)
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html', prefer: 'return=minimal' } })
      if (response.redirected) return location.reload()
      if (!response.ok) continue
      const page = new DOMParser().parseFromString(await response.text(), 'text/html')
      for (const part of document.querySelectorAll('[data-part]')) {
        const fresh = page.getElementById(part.id)
        if (!fresh || shown.get(part.id) === fresh.outerHTML) continue
        shown.set(part.id, fresh.outerHTML)
        part.replaceWith(fresh)
      }
      document.title = page.title
      if (page.querySelector('[data-follow]')) continue
      over = true
      return
    } catch {
      // Away for a moment: asked again.
    }
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
`

/** A pod under a magnifying glass, as plain as it gets. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.5" fill="none" stroke="#2f81f7" stroke-width="2"/><path d="M10.5 10.5 15 15" stroke="#2f81f7" stroke-width="2" stroke-linecap="round"/></svg>
`
