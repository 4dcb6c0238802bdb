/** Runs the demo and records its output with the pauses as an animated picture. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { type PrintedLine, recording } from "./recording.ts";

const root = path.resolve(import.meta.dirname, "../..");
const PICTURE = "docs/pictures/demo.svg";

/** Returns the path of the written file. Throws if the demo fails, because a recording must show a successful run. */
export async function recordDemo(): Promise<string> {
  const started = performance.now();
  const demo = spawn(process.execPath, ["test/demo/main.ts"], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(demo, "exit");
  const lines: PrintedLine[] = [];
  for await (const text of createInterface({ input: demo.stdout })) lines.push({ text, at: (performance.now() - started) / 1_000 });
  const [code] = await exited;
  if (code !== 0) throw new Error(`the demo ended with ${String(code)}: nothing is recorded\n${lines.map(({ text }) => text).join("\n")}`);
  const end = lines.findLastIndex(({ text }) => text.startsWith("demo: "));
  await writeFile(path.join(root, PICTURE), recording("npm run demo", lines.slice(0, end + 1)));
  return PICTURE;
}
