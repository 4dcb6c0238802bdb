/** The one style sheet. Colours of text have a contrast of at least 4.5 on their ground, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --band: #f6f8fa; --link: #0550ae;
  --fail: #b3121d; --warn: #7a4a00; --ok: #0b6329; --skip: #4c3a9e; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --soft: #9da7b3; --line: #30363d; --band: #161b22;
  --link: #79b8ff; --fail: #ff8b8b; --warn: #f0b65a; --ok: #6fd08c; --skip: #b7a6ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
header { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; align-items: baseline; padding: .6rem 1rem; background: var(--band); }
header p { margin: 0; color: var(--soft); }
header .product { font-weight: 700; color: var(--text); }
.live { margin-left: auto; }
nav[aria-label="Views"] { border-bottom: 1px solid var(--line); background: var(--band); padding: 0 1rem; }
nav ul, .counts, .notices, .findings { list-style: none; margin: 0; padding: 0; }
nav[aria-label="Views"] ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
nav[aria-label="Views"] a { display: block; padding: .5rem 0; text-decoration: none; }
nav[aria-label="Views"] a[aria-current] { font-weight: 700; color: var(--text); box-shadow: inset 0 -3px var(--link); }
main { padding: .5rem 1rem 3rem; }
main:focus { outline: none; }
h1 { font-size: 1.35rem; margin: .4rem 0; } h2 { font-size: 1.1rem; margin-bottom: .3rem; }
form { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; margin: .5rem 0; }
label { display: grid; gap: .1rem; color: var(--soft); font-size: .85rem; }
input, select, button { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--soft); border-radius: 4px; padding: .25rem .5rem; }
button { cursor: pointer; }
.counts { display: flex; flex-wrap: wrap; gap: 1.2rem; margin: .6rem 0; }
.notices li { border-left: 4px solid var(--skip); background: var(--band); padding: .4rem .7rem; margin: .4rem 0; }
.notices .problem { border-color: var(--fail); }
.findings li { margin: .4rem 0; }
.wide { overflow-x: auto; position: relative; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: break-word; max-width: 40rem; }
thead th { background: var(--band); white-space: nowrap; }
tbody th { font-weight: 600; }
code { overflow-wrap: anywhere; }
.said { min-width: 22rem; overflow-wrap: anywhere; }
td time, th time { white-space: nowrap; }
.state { font-weight: 700; white-space: nowrap; color: var(--skip); }
.FAIL, .old, .expired { color: var(--fail); } .WARN, .soon, .not-running { color: var(--warn); } .OK, .current { color: var(--ok); }
.count { color: var(--soft); }
.pager { display: flex; gap: 1rem; margin: .5rem 0; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: .3rem; background: var(--ground); padding: .3rem .6rem; }
`;
