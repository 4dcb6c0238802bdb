/** A real registry (Distribution) on this machine, with all data in memory. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { builtProgram } from "../../e2e/support/binaries.ts";
import { startProcess } from "./process.ts";

export interface RunningRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Returns the raw answer below `/v2/`. Credentials have the form `user:password`. */
  get(what: string, options?: { readonly accept?: string; readonly credentials?: string }): Promise<Response>;
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** A line of htpasswd with bcrypt. Without it, every client has all rights. */
  readonly users?: string;
  /** Default 127.0.0.1. */
  readonly address?: string;
}

const WITHIN_MS = 20_000;

export async function startRegistry({ users, address = "127.0.0.1" }: RegistryOptions = {}): Promise<RunningRegistry> {
  const program = await builtProgram("registry");
  const folder = mkdtempSync(path.join(tmpdir(), "registry-"));
  const file = path.join(folder, "config.json");
  const passwords = path.join(folder, "htpasswd");
  if (users !== undefined) writeFileSync(passwords, `${users}\n`);
  const auth = users === undefined ? {} : { auth: { htpasswd: { realm: "test", path: passwords } } };
  const config = {
    version: "0.1",
    storage: { inmemory: {} },
    http: { addr: `${address}:0`, secret: "of-this-test-alone" },
    log: { level: "info" },
    ...auth,
  };
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(program, ["serve", file], { stdio: ["ignore", "ignore", "pipe"], env: { OTEL_TRACES_EXPORTER: "none" } });
  const running = startProcess(child, "registry");
  const stop = async () => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const port = await portOf(child.stderr, stop);
  const host = `${address}:${port}`;
  return {
    host,
    get: (what, { accept, credentials } = {}) => {
      const headers = new Headers();
      if (accept !== undefined) headers.set("accept", accept);
      if (credentials !== undefined) headers.set("authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
      return fetch(`http://${host}/v2/${what}`, { headers });
    },
    stop,
  };
}

/** Port in the line with the listening address. */
function portOf(stderr: NodeJS.ReadableStream, stop: () => Promise<void>): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => void stop().then(() => reject(new Error(`the registry does not listen:\n${said}`))), WITHIN_MS);
    createInterface({ input: stderr }).on("line", (line) => {
      said += `${line}\n`;
      const port = /listening on [^ "]*:(\d+)/.exec(line)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(port);
    });
  });
}
