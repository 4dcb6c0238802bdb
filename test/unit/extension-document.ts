import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../../tools/repository-files.ts";

/** Kinds of the parts of the extension's documentation. */
export const ITEM_KINDS = ["command", "yaml", "json", "setting", "bullet", "step", "text"] as const;

export type ItemKind = (typeof ITEM_KINDS)[number];

/** One instruction or statement of the documentation: the reader types, writes, sets, or reads it. */
export interface DocumentItem {
  readonly kind: ItemKind;
  /** Hash of the text without its layout, 12 hexadecimal digits. */
  readonly hash: string;
  readonly text: string;
}

/** Exists next to the checkout in CI only. It is not part of the repository. */
export const EXTENSION_DOCUMENT = path.resolve(REPOSITORY, "../shared/reference/000_7089e36a15d15b9e.txt");

/** Returns undefined if the document is not available. */
export function extensionDocument(): string | undefined {
  return existsSync(EXTENSION_DOCUMENT) ? readFileSync(EXTENSION_DOCUMENT, "utf8") : undefined;
}

/** Divides the text into items. Every line is part of exactly one item. */
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

/** Names and values that a command sets for an extension. */
function settingsIn(command: string): readonly string[] {
  const [, given = ""] = command.split("--configuration-settings ");
  return given.split(/\s+/).filter((word) => /^[\w.-]+=/.test(word));
}

/**
 * Number of lines of the block that starts here: JSON ends at its closing brace, YAML at the next empty line, and any other block is
 * one line.
 */
function blockSize(lines: readonly string[], from: number): number {
  const kind = kindOf((lines[from] ?? "").trim());
  if (kind !== "json" && kind !== "yaml") return 1;
  const indent = /^ */.exec(lines[from] ?? "")?.[0] ?? "";
  const isLast = (line: string): boolean => (kind === "json" ? line === `${indent}}` : line.trim() === "");
  const end = lines.findIndex((line, index) => index > from && isLast(line));
  if (end === -1) return lines.length - from;
  return end - from + (kind === "json" ? 1 : 0);
}
