/** Runs Azurite, Microsoft's emulator of Azure Storage: only its queues, over TLS, with sign-in. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import path from "node:path";
import { text } from "node:stream/consumers";
import { escaped } from "../../../tools/markup.ts";
import { freePort } from "../cluster/product.ts";
import { installFolder, installRefusal } from "../processes/locked-packages.ts";
import { startProcess } from "../processes/process.ts";
import { eventually } from "../time/eventually.ts";

const PACKAGES = "azurite";

/** Installs Azurite once. Returns the reason if that is not possible. */
export function azuriteRefusal(): string | undefined {
  return installRefusal(PACKAGES);
}

export interface AzuriteOptions {
  /** State folder of the Key Vault emulator, which issued Azurite's serving certificate. */
  readonly stateDir: string;
  /** PEM of the CA. */
  readonly ca: string;
  readonly account: string;
  /** Default: a free port. */
  readonly port?: number;
}

/** One storage account. Its queues are lost when it stops. */
export interface Azurite {
  readonly account: string;
  readonly port: number;
  /** `https://<account>.queue.core.windows.net/<name>` */
  urlOf(queue: string): string;
  create(queue: string): Promise<void>;
  remove(queue: string): Promise<void>;
  /** Puts a message unchanged, without base64. */
  put(queue: string, message: string): Promise<void>;
  /** Sends any request with all rights, and returns the answer unchanged. */
  ask(call: AzuriteCall): Promise<AzuriteAnswer>;
  /** Number of messages, including hidden ones. */
  count(queue: string): Promise<number>;
  /** Until {@link Azurite.resume}, the port is open, but nothing answers. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Placeholder: Azurite requires a key for each account, but tests sign in with tokens. */
const ACCOUNT_KEY = Buffer.alloc(64).toString("base64");
const READY_WITHIN_MS = 60_000;
const SOCKETS = 16;

export async function startAzurite({ stateDir, ca, account, port: asked }: AzuriteOptions): Promise<Azurite> {
  const refusal = azuriteRefusal();
  if (refusal !== undefined) throw new Error(refusal);
  const port = asked ?? (await freePort());
  const child = spawn(
    process.execPath,
    [path.join(installFolder(PACKAGES), "node_modules/azurite/dist/src/queue/main.js"), ...flagsOf(stateDir, port)],
    {
      cwd: stateDir,
      env: { PATH: process.env["PATH"], AZURITE_ACCOUNTS: `${account}:${ACCOUNT_KEY}` },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  startProcess(child, "azurite");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    said += part;
  });
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const ask = (call: AzuriteCall): Promise<AzuriteAnswer> => askAzurite({ port, account, ca, agent }, call);
  await eventually(async () => child.exitCode !== null || (await ask({ method: "GET", path: "/?comp=list" }).catch(() => undefined)), {
    within: READY_WITHIN_MS,
    what: "Azurite",
  });
  if (child.exitCode !== null) throw new Error(`Azurite ended with ${child.exitCode}: ${said}`);
  return {
    account,
    port,
    urlOf: (queue) => `https://${hostOf(account)}/${queue}`,
    create: async (queue) => void (await expectStatus(ask({ method: "PUT", path: `/${queue}` }), [201, 204])),
    remove: async (queue) => void (await expectStatus(ask({ method: "DELETE", path: `/${queue}` }), [204])),
    put: async (queue, message) => {
      const body = `<QueueMessage><MessageText>${escaped(message)}</MessageText></QueueMessage>`;
      await expectStatus(ask({ method: "POST", path: `/${queue}/messages`, body }), [201]);
    },
    ask,
    count: async (queue) => {
      const { headers } = await expectStatus(ask({ method: "GET", path: `/${queue}?comp=metadata` }), [200]);
      return Number(headers["x-ms-approximate-messages-count"]);
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    stop: () => {
      agent.destroy();
      return ended(child);
    },
  };
}

function flagsOf(stateDir: string, port: number): readonly string[] {
  return [
    "--silent",
    "--inMemoryPersistence",
    "--disableTelemetry",
    "--skipApiVersionCheck",
    "--oauth=basic",
    `--queuePort=${port}`,
    `--cert=${path.join(stateDir, "serving.crt")}`,
    `--key=${path.join(stateDir, "serving.key")}`,
  ];
}

function hostOf(account: string): string {
  return `${account}.queue.core.windows.net`;
}

export interface AzuriteCall {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

export interface AzuriteAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

interface Place {
  readonly port: number;
  readonly account: string;
  readonly ca: string;
  readonly agent: Agent;
}

async function askAzurite({ port, account, ca, agent }: Place, { method, path: asked, body = "" }: AzuriteCall): Promise<AzuriteAnswer> {
  const sent = request({
    host: "127.0.0.1",
    port,
    servername: hostOf(account),
    ca,
    method,
    path: asked,
    headers: {
      host: hostOf(account),
      authorization: `Bearer ${testToken()}`,
      "content-type": "application/xml",
      "content-length": Buffer.byteLength(body),
      "x-ms-version": "2025-11-05",
      "x-ms-date": new Date().toUTCString(),
    },
    agent,
    signal: AbortSignal.timeout(10_000),
  });
  sent.end(body);
  const [response]: readonly IncomingMessage[] = await once(sent, "response");
  if (response === undefined) throw new Error("no response");
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}

async function expectStatus(asked: Promise<AzuriteAnswer>, expected: readonly number[]): Promise<AzuriteAnswer> {
  const answer = await asked;
  if (!expected.includes(answer.status)) throw new Error(`Azurite answered ${answer.status}: ${answer.text}`);
  return answer;
}

/** Azurite checks the claims of a token, but not its signature. */
function testToken(): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { aud: "https://storage.azure.com", iss: "https://sts.windows.net/tests/", iat: now - 60, nbf: now - 60, exp: now + 600 };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode({ typ: "JWT", alg: "RS256" })}.${encode(claims)}.${Buffer.from("unsigned").toString("base64url")}`;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGCONT");
  child.kill("SIGKILL");
  await exit;
}
