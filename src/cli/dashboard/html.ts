import { oneLine } from "../shared/terminal.ts";

/** HTML that is safe to put into a page. Only {@link html} creates it, and escapes the text that it inserts. */
class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type { Html };

type Part = string | number | Html | readonly Html[] | undefined;

/** Keeps the template's own text, and inserts other text escaped, on one line, and without characters that change the direction of text. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.map((text, index) => (index === 0 ? text : `${cleaned(parts[index - 1])}${text}`)).join(""));
}

function cleaned(part: Part): string {
  if (part === undefined) return "";
  if (typeof part === "string") return escaped(oneLine(part));
  if (typeof part === "number") return `${part}`;
  return part instanceof Html ? part.text : part.map(({ text }) => text).join("");
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

/** Returns `page?name=value`, without names that have an empty value. */
export function address(page: string, query: Readonly<Record<string, string>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  return given.length === 0 ? page : `${page}?${new URLSearchParams(given).toString()}`;
}

/** Renders a table with a name for screen readers. Every column needs a heading. */
export function table(caption: string, heads: readonly string[], rows: readonly Html[]): Html {
  const head = heads.map((each) => html`<th scope="col">${each}</th>`);
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Renders a time in Unix milliseconds. */
export function time(at: number | undefined): Html {
  if (at === undefined || at <= 0 || Number.isNaN(at)) return html`–`;
  const text = new Date(at).toISOString();
  return html`<time datetime="${text}">${text.slice(0, 19).replace("T", " ")}Z</time>`;
}
