import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Edit } from "./switched-off.ts";

/** Not copied: the history, built files, and the packages, which the copy shares. */
const LEFT_OUT = [".git", "dist", "node_modules"];

/** Copy of the working tree in which tests can change files. */
export interface CheckoutCopy {
  readonly folder: string;
  /** Applies the edits, runs `body`, and reverts the edits. */
  withEdits<T>(edits: readonly Edit[], body: () => Promise<T>): Promise<T>;
  remove(): void;
}

export function copyCheckout(root: string): CheckoutCopy {
  const folder = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "practices-"));
  for (const name of readdirSync(root)) {
    if (!LEFT_OUT.includes(name)) cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"), "dir");
  return {
    folder,
    withEdits: async (edits, body) => {
      const before = edits.map(({ file }) => readFileSync(path.join(folder, file), "utf8"));
      for (const edit of edits) apply(folder, edit);
      try {
        return await body();
      } finally {
        for (const [index, { file }] of edits.entries()) writeFileSync(path.join(folder, file), before[index] ?? "");
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function apply(folder: string, { file, from, to }: Edit): void {
  const text = readFileSync(path.join(folder, file), "utf8");
  if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}: bring test/practices/switched-off.ts up to date`);
  writeFileSync(
    path.join(folder, file),
    text.replace(from, () => to),
  );
}
