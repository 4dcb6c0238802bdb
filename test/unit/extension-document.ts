import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../../tools/repository-files.ts";

/** What the extension's documentation is made of. */
export const ITEM_KINDS = ["command", "yaml", "json", "setting", "bullet", "step", "text"] as const;

export type ItemKind = (typeof ITEM_KINDS)[number];

/** One thing that its reader types, writes, sets, or is told. */
export interface DocumentItem {
  readonly kind: ItemKind;
  /** Of the text without its layout, 12 hexadecimal digits. */
  readonly hash: string;
  readonly text: string;
}

/** It lies beside a checkout in CI and is no part of the repository. */
export const EXTENSION_DOCUMENT = path.resolve(REPOSITORY, "../shared/reference/000_7089e36a15d15b9e.txt");

/** Undefined where this checkout has it not. */
export function extensionDocument(): string | undefined {
  return existsSync(EXTENSION_DOCUMENT) ? readFileSync(EXTENSION_DOCUMENT, "utf8") : undefined;
}

/** Every line of the text is part of exactly one item. */
export function itemsOf(text: string): readonly DocumentItem[] {
  const lines = text.split("\n");
  const items: DocumentItem[] = [];
  let isInTable = false;
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    isInTable = line.trim() !== "" && (isInTable || line.startsWith("Configuration Setting"));
    const size = blockSize(lines, at);
    const block = lines.slice(at, at + size).join("\n");
    if (block.trim() !== "") items.push(...itemsIn(block, isInTable && !line.startsWith("Configuration Setting")));
    at += size;
  }
  return items;
}

function itemsIn(block: string, isSetting: boolean): readonly DocumentItem[] {
  const kind = isSetting ? "setting" : kindOf(block.trim());
  const settings = kind === "command" ? settingsIn(block) : [];
  return [item(kind, block), ...settings.map((setting) => item("setting", setting))];
}

function item(kind: ItemKind, block: string): DocumentItem {
  const text = block.split(/\s+/).filter(Boolean).join(" ");
  return { kind, text, hash: createHash("sha256").update(text).digest("hex").slice(0, 12) };
}

const KINDS: readonly (readonly [RegExp, ItemKind])[] = [
  [/^(az|kubectl|export) /, "command"],
  [/^\{/, "json"],
  [/^(# |kind:|apiVersion:)/, "yaml"],
  [/^•/, "bullet"],
  [/^\d+\. /, "step"],
];

function kindOf(text: string): ItemKind {
  return KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? "text";
}

/** Names and values that a command sets an extension to. */
function settingsIn(command: string): readonly string[] {
  const [, given = ""] = command.split("--configuration-settings ");
  return given.split(/\s+/).filter((word) => /^[\w.-]+=/.test(word));
}

/** Lines of the block that starts here: JSON to its closing brace, YAML to the next empty line, all else by lines. */
function blockSize(lines: readonly string[], from: number): number {
  const kind = kindOf((lines[from] ?? "").trim());
  if (kind !== "json" && kind !== "yaml") return 1;
  const indent = /^ */.exec(lines[from] ?? "")?.[0] ?? "";
  const isLast = (line: string): boolean => (kind === "json" ? line === `${indent}}` : line.trim() === "");
  const end = lines.findIndex((line, index) => index > from && isLast(line));
  if (end === -1) return lines.length - from;
  return end - from + (kind === "json" ? 1 : 0);
}
