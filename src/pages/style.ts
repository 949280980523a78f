/** The one style sheet. Dark where the system is; readable on a phone at night. */
export const style = `
:root {
  color-scheme: light dark;
  --back: light-dark(#fbfbfc, #101418);
  --card: light-dark(#ffffff, #171c22);
  --line: light-dark(#d9dee4, #2b333c);
  --text: light-dark(#1c2128, #d7dee6);
  --soft: light-dark(#59636e, #8d99a6);
  --link: light-dark(#0a58ca, #7ab5ff);
  --error: light-dark(#b3161f, #ff8a80);
  --warn: light-dark(#8a5a00, #e8b84a);
  --good: light-dark(#17702f, #77d98b);
  --code: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.wide { max-width: 64rem; margin: 0 auto; padding: 0 1rem; }
.bar { border-bottom: 1px solid var(--line); background: var(--card); }
.bar .wide { display: flex; gap: .25rem 1.25rem; align-items: center; min-height: 3.25rem; flex-wrap: wrap; padding-block: .4rem; }
.bar a { text-decoration: none; }
.bar .brand { font-weight: 650; color: var(--text); }
.bar .who { margin-left: auto; color: var(--soft); display: flex; gap: .75rem; align-items: center; }
main.wide { padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: .25rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
h2 code { font-size: 1rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate; }
p { margin: .4rem 0; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.badge { display: inline-block; padding: .05rem .6rem; border-radius: 1rem; border: 1px solid currentColor; font-size: .8125rem; font-weight: 600; white-space: nowrap; color: var(--soft); }
.badge.complete { color: var(--good); }
.badge.incomplete, .badge.cancelled, .badge.warn { color: var(--warn); }
.badge.refused, .badge.failed, .badge.error { color: var(--error); }
.badge.running { color: var(--link); }
.notice { border-left: 3px solid var(--warn); padding: .4rem .9rem; background: var(--card); margin: .75rem 0; }
.notice.error { border-color: var(--error); }
.finding { border: 1px solid var(--line); border-left: 4px solid var(--soft); background: var(--card); border-radius: 4px; padding: .8rem 1rem; margin: .6rem 0; }
.finding.error { border-left-color: var(--error); }
.finding.warn { border-left-color: var(--warn); }
.finding .meta { color: var(--soft); font-size: .8125rem; }
.finding dl { margin: .5rem 0 0; }
.finding dt { font-size: .8125rem; color: var(--soft); }
.finding dd { margin: 0 0 .4rem; overflow-wrap: anywhere; }
pre { font: .8125rem/1.5 var(--code); background: var(--card); border: 1px solid var(--line); border-radius: 4px; padding: .75rem; margin: .5rem 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
pre.log { max-height: 65vh; overflow-y: auto; }
pre .bad { color: var(--error); font-weight: 600; }
pre .fine { color: var(--good); }
pre .note { color: var(--soft); }
code { font: .875em var(--code); overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.actions { display: flex; gap: .6rem; flex-wrap: wrap; align-items: center; margin: 1rem 0; }
button, .button { font: inherit; padding: .45rem .9rem; min-height: 2.5rem; border-radius: 6px; border: 1px solid var(--line); background: var(--card); color: var(--text); text-decoration: none; cursor: pointer; display: inline-flex; align-items: center; justify-content: center; }
button:hover, .button:hover { border-color: var(--soft); }
button.main, .button.main { background: var(--link); border-color: var(--link); color: var(--back); font-weight: 600; }
button.danger { color: var(--error); }
button.plain { border: 0; padding: 0; min-height: 0; background: none; color: var(--link); }
input, select { font: inherit; font-size: 1rem; padding: .4rem .6rem; min-height: 2.5rem; width: 100%; border: 1px solid var(--line); border-radius: 6px; background: var(--card); color: var(--text); }
label { display: block; font-size: .8125rem; color: var(--soft); min-width: 0; }
.filters { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .6rem; align-items: end; margin: .75rem 0 0; }
details.filter { margin: .5rem 0 1rem; }
summary { cursor: pointer; width: max-content; padding: .25rem 0; }
.rows { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
.rows li { border-bottom: 1px solid var(--line); padding: .75rem 0; display: grid; grid-template-columns: 9.5rem 1fr max-content; gap: .1rem 1rem; align-items: baseline; }
.rows a { font-weight: 600; text-decoration: none; overflow-wrap: anywhere; }
.rows p { margin: 0; }
.rows .when { color: var(--soft); font-size: .875rem; text-align: right; }
.login { max-width: 26rem; margin: 8vh auto 0; }
.login form { display: grid; gap: .9rem; margin-top: 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
td, th { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; font-size: .8125rem; }
@media (max-width: 40rem) {
  .rows li { grid-template-columns: 1fr max-content; }
  .rows li > div { grid-column: 1 / -1; grid-row: 2; }
  tr { display: block; border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td, th { display: block; border: 0; padding: 0; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .5rem; }
}
`
