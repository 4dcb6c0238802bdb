/** Builds the HTML around a page's text. */
import { escaped } from "../markup.ts";
import { DIAGRAM } from "./markdown.ts";
import { relativeUrl, type SitePage } from "./pages.ts";

const STYLE = `:root { color-scheme: light dark; --line: #8884; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --link: #58a6ff; } }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { padding: 1rem; border-right: 1px solid var(--line); height: 100vh; overflow: auto; position: sticky; top: 0; box-sizing: border-box; font-size: 14px; }
nav ul { list-style: none; margin: 0 0 0.5rem; padding-left: 0.75rem; }
nav summary { cursor: pointer; font-weight: 600; }
main { padding: 1rem 2rem 4rem; max-width: 60rem; }
a { color: var(--link); }
pre, code { font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; }
pre { padding: 0.75rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; display: block; overflow: auto; }
th, td { border: 1px solid var(--line); padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
img { max-width: 100%; height: auto; }
#search { width: 100%; box-sizing: border-box; padding: 0.4rem; }
@media (max-width: 50rem) { body { display: block; } nav { height: auto; position: static; } }
`;

const GROUPS: readonly (readonly [string, RegExp])[] = [
  ["Start", /^docs\/start\//],
  ["Tutorials", /^docs\/tutorial\//],
  ["How to", /^docs\/how-to\//],
  ["Explanation", /^docs\/explanation\/|^ARCHITECTURE/],
  ["Reference", /^docs\/reference\/|^certs\//],
  ["Security", /^docs\/security\/|^SECURITY/],
  ["Runbooks", /^docs\/runbooks\//],
  ["Evidence", /^docs\/evidence\//],
  ["Decisions", /^docs\/adr\//],
  ["Project", /^(?:CONTRIBUTING|CHANGELOG|CODE_OF_CONDUCT)/],
];

export function shell(content: string, page: SitePage, pages: readonly SitePage[]): string {
  const root = relativeUrl(page.url, "");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(page.title)}</title>
<style>
${STYLE}</style>
</head>
<body data-root="${root}">
<nav>
<p><a href="${root}">keyvault-injector</a> · <a href="${relativeUrl(page.url, "docs/")}">all pages</a></p>
<input id="search" type="search" placeholder="Search" aria-label="Search">
<ul id="found"></ul>
${GROUPS.map(([name, pattern]) => group({ name, members: pages.filter(({ file }) => pattern.test(file)), page })).join("\n")}
</nav>
<main>
${content}
</main>
<script src="${relativeUrl(page.url, "minisearch.js")}"></script>
<script src="${relativeUrl(page.url, "search.js")}"></script>
${content.includes(`class="${DIAGRAM}"`) ? diagrams(page) : ""}</body>
</html>
`;
}

/** Draws the page's diagrams. Without the script, the page shows their text. */
function diagrams({ url }: SitePage): string {
  return `<script src="${relativeUrl(url, "mermaid.js")}"></script>
<script>mermaid.initialize({ startOnLoad: true, theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "default" });</script>
`;
}

/** A redirect from a page's former address, or from its file's name, to which messages and charts link. */
export function redirect(to: string): string {
  return `<!doctype html>\n<meta charset="utf-8">\n<title>Moved</title>\n<meta http-equiv="refresh" content="0; url=${to}">\n<a href="${to}">Moved</a>\n`;
}

interface Group {
  readonly name: string;
  readonly members: readonly SitePage[];
  readonly page: SitePage;
}

function group({ name, members, page }: Group): string {
  const items = members.map(({ url, title }) => `<li><a href="${relativeUrl(page.url, url)}">${escaped(title)}</a></li>`);
  const isOpen = members.includes(page);
  return `<details${isOpen ? " open" : ""}><summary>${name}</summary>\n<ul>\n${items.join("\n")}\n</ul></details>`;
}
