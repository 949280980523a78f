import { readFile, writeFile } from 'node:fs/promises'
import { html } from 'hono/html'
import type { Note } from '../src/ports/tracker/tracker.ts'

/** Makes a page of a note of the local tracker, as a tracker would show it. All text is escaped. */
export async function writeReport(noteFile: string, issue: string, pageFile: string): Promise<void> {
  const note = JSON.parse(await readFile(noteFile, 'utf8')) as Note
  await writeFile(pageFile, String(await page(issue, note)))
}

const page = (issue: string, { at, headline, findings, facts, links }: Note) => html`<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>${issue}: ${headline}</title>
  <style>
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
    article { border: 1px solid #8886; border-radius: 8px; padding: 0 1.5rem 1rem }
    pre { overflow-x: auto; padding: .5rem; background: #8882 }
    dt { font-weight: 600 } dd { margin: 0 0 .5rem; overflow-wrap: anywhere }
    .error { color: #d33 } .warn { color: #b70 }
  </style>
  <h1>Bug report ${issue}</h1>
  <article>
    <h2>${headline}</h2>
    <p>Autodiagnose, ${at}</p>
    <ul>
      ${findings.map(
        ({ severity, title, cause, next, evidence }) => html`<li>
          <strong class="${severity}">${severity}: ${title}</strong>
          ${cause ? html`<p>${cause}</p>` : ''}${next ? html`<p>Next: ${next}</p>` : ''}${evidence ? html`<pre>${evidence}</pre>` : ''}
        </li>`,
      )}
    </ul>
    <dl>${facts.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
    <ul>${links.map(({ label, url }) => html`<li><a href="${url}">${label}</a></li>`)}</ul>
    <p><small>The links work while this demo's service runs; npm run demo -- --keep lets it run on</small></p>
  </article>
</html>
`
