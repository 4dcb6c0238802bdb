import { readRepositoryFile } from "../../../tools/repository-files.ts";

/** A block of commands on a page, with the files that the page asks the reader to save before it. */
export interface Step {
  readonly page: string;
  /** Heading above the block. */
  readonly heading: string;
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly commands: string;
  /** Output of the commands on the page. Undefined if the page shows none. */
  readonly prints: string | undefined;
}

/** Marks a block for another terminal. */
const ELSEWHERE = "<!-- first terminal -->";

/**
 * Reads a page: each `sh` block is a step, the next `text` block its output, and a `yaml` block a file that the sentence before it names.
 */
export function readSteps(page: string): readonly Step[] {
  const steps: Step[] = [];
  let heading = "";
  let sentence = "";
  let files: Step["files"] = [];
  for (const [, title, language, body = "", line] of readRepositoryFile(page).matchAll(/^## (.*)$|^```(\w+)\n([\s\S]*?)^```$|^(.+)$/gm)) {
    if (title !== undefined) heading = title;
    else if (language === "yaml") files = [...files, { name: fileNamed(sentence), content: body }];
    else if (language === "text") steps.push({ ...lastOf(steps, page), prints: body });
    else if (language === "sh" && sentence !== ELSEWHERE) {
      steps.push({ page, heading, files, commands: body, prints: undefined });
      files = [];
    }
    sentence = line ?? "";
  }
  return steps;
}

function fileNamed(sentence: string): string {
  const name = /`([\w.-]+\.yaml)`/.exec(sentence)?.[1];
  if (name === undefined) throw new Error(`no file is named before the YAML block after ${JSON.stringify(sentence)}`);
  return name;
}

function lastOf(steps: Step[], page: string): Step {
  const step = steps.pop();
  if (step === undefined) throw new Error(`${page}: an output without commands before it`);
  return step;
}

const MARK = "@@ step ";

/** One shell runs all steps, as for a reader, so that later steps see variables of earlier ones. */
export function scriptOf(steps: readonly Step[]): string {
  const parts = steps.flatMap(({ files, commands }, index) => [
    `echo '${MARK}${index}'`,
    ...files.map(({ name, content }) => `cat > ${name} <<'END OF ${name}'\n${content}END OF ${name}`),
    commands,
    // Ends an output that has no line end.
    "echo",
  ]);
  return ["set -euo pipefail", ...parts].join("\n");
}

/** Output of each step that ran. */
export function outputsOf(printed: string): readonly string[] {
  return printed
    .split(new RegExp(`^${MARK}\\d+\\n`, "m"))
    .slice(1)
    .map((text) => `${text.trimEnd()}\n`);
}

/** `…` in a line matches any text, and a line with only `…` matches any lines. */
export function isAsShown(output: string, shown: string): boolean {
  const pattern = shown
    .trimEnd()
    .split("\n")
    .map((line) => (line === "…" ? "(?:.*\\n)*?" : `${line.split("…").map(literally).join(".*")}\\n`))
    .join("");
  return new RegExp(`^${pattern}$`).test(output);
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
