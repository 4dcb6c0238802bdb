import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

import { EmulatorInputError } from "../input-error.ts";

const schema = z.object({
  adminUrl: z.url(),
  /** Any process that can read this file can use the admin endpoint. */
  adminToken: z.string(),
  proxyUrl: z.url(),
  caFile: z.string(),
  imdsUrl: z.url(),
  pid: z.number(),
});

/** The data that a client of a running emulator needs. */
export type AdminFile = z.infer<typeof schema>;

export function adminFilePath(stateDir: string): string {
  return join(stateDir, "emulator.json");
}

export async function writeAdminFile(stateDir: string, content: AdminFile): Promise<void> {
  await writeFile(adminFilePath(stateDir), `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
}

export async function readAdminFile(stateDir: string): Promise<AdminFile> {
  const path = adminFilePath(stateDir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new EmulatorInputError(`state-dir: no emulator runs there (${path} is missing); start one with serve --state-dir`, { cause });
  }
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new EmulatorInputError(`state-dir: ${path} is not an emulator's file; start a new emulator there`);
  return parsed.data;
}
