/** Builds the index of the site's search, with one entry for each heading. */
import MiniSearch from "minisearch";
import { type SitePage, slugOf } from "./pages.ts";

interface Section {
  readonly id: number;
  readonly title: string;
  readonly heading: string;
  readonly text: string;
  readonly url: string;
}

const FIELDS = { fields: ["title", "heading", "text"], storeFields: ["title", "heading", "url"] };

/** JSON text that `search.js` loads. */
export function searchIndex(pages: readonly SitePage[]): string {
  const index = new MiniSearch<Section>(FIELDS);
  index.addAll(pages.flatMap(sectionsOf).map((section, id) => ({ ...section, id })));
  return JSON.stringify(index);
}

function sectionsOf({ title, markdown, url }: SitePage): readonly Omit<Section, "id">[] {
  return markdown.split(/^(?=#{1,3} )/m).map((part) => {
    const heading = /^#{2,3} (.+)$/m.exec(part)?.[1]?.replaceAll("`", "") ?? "";
    return { title, heading, text: part, url: heading === "" ? url : `${url}#${slugOf(heading)}` };
  });
}

/** This script runs in the browser. `data-root` of the body leads to the site's root. */
export const SEARCH_SCRIPT = `const root = document.body.dataset.root;
const input = document.querySelector("#search");
const list = document.querySelector("#found");
let index;
async function load() {
  try {
    await read();
  } catch {
    list.textContent = "Search needs a web server, such as python3 -m http.server in this folder.";
    return;
  }
  show();
}
async function read() {
  const answer = await fetch(root + "search.json");
  index = MiniSearch.loadJSON(await answer.text(), ${JSON.stringify({ ...FIELDS, searchOptions: { prefix: true, fuzzy: 0.1, boost: { title: 4, heading: 3 } } })});
}
input.addEventListener("focus", () => { if (index === undefined) load(); }, { once: true });
input.addEventListener("input", show);
// Also once the index is there: somebody may have typed meanwhile.
function show() {
  const rank = (_, __, { url }) => (/^(?:docs\\/(?:adr|evidence)|CHANGELOG)/.test(url) ? 0.3 : 1);
  const found = index === undefined || input.value === "" ? [] : index.search(input.value, { boostDocument: rank }).slice(0, 12);
  list.replaceChildren(...found.map(({ title, heading, url }) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = root + url;
    link.textContent = heading === "" ? title : title + ": " + heading;
    item.append(link);
    return item;
  }));
}
`;
