import { randomBytes, timingSafeEqual } from "node:crypto";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { EmulatorInputError } from "../input-error.ts";
import { type Answer, readExchange, writeAnswer } from "../network/exchange.ts";
import { closeServer, LOOPBACK, listenOnLoopback } from "../network/loopback-server.ts";
import { type AdminFile, adminFilePath, writeAdminFile } from "./admin-file.ts";
import type { StateMethods } from "./state-methods.ts";

export interface AdminServerOptions {
  readonly methods: StateMethods;
  readonly port: number;
  readonly stateDir: string;
  readonly places: Pick<AdminFile, "proxyUrl" | "caFile" | "imdsUrl">;
}

export interface AdminServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves `POST /<method>` with the method's input as JSON, on loopback, to clients with the token from the state folder's file. */
export async function startAdminServer({ methods, port, stateDir, places }: AdminServerOptions): Promise<AdminServer> {
  const adminToken = randomBytes(32).toString("base64url");
  const server: Server = createServer((request, response) => {
    serve(request, response, { methods, adminToken }).catch(() => response.destroy());
  });
  const url = `http://${LOOPBACK}:${await listenOnLoopback(server, port)}`;
  await writeAdminFile(stateDir, { adminUrl: url, adminToken, ...places, pid: process.pid });
  return {
    url,
    stop: async () => {
      server.closeAllConnections();
      await Promise.all([closeServer(server), rm(adminFilePath(stateDir), { force: true })]);
    },
  };
}

interface Serving {
  readonly methods: StateMethods;
  readonly adminToken: string;
}

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const exchange = await readExchange(request);
  const [name = ""] = exchange?.segments ?? [];
  if (exchange === undefined) return writeAnswer(response, refusal(413, "the request body is too large"));
  if (!isAuthorized(exchange.headers.authorization, serving.adminToken)) {
    return writeAnswer(response, refusal(401, "the admin token of the state folder's emulator.json is required"));
  }
  if (exchange.method !== "POST" || !Object.hasOwn(serving.methods, name)) {
    return writeAnswer(response, refusal(404, "no such admin operation"));
  }
  // `name` is an own key of the methods, and each method checks its input first.
  const run = serving.methods[name as keyof StateMethods] as (input: unknown) => Promise<unknown>;
  return writeAnswer(response, await answerOf(run, exchange.body));
}

async function answerOf(run: (input: unknown) => Promise<unknown>, body: string): Promise<Answer> {
  try {
    return { status: 200, body: (await run(JSON.parse(body === "" ? "{}" : body))) ?? null };
  } catch (error) {
    if (error instanceof EmulatorInputError) return refusal(400, error.message);
    // A syntax error quotes the body, which may contain a secret value.
    if (error instanceof SyntaxError) return refusal(400, "the request body is not JSON");
    throw error;
  }
}

function isAuthorized(header: string | undefined, token: string): boolean {
  const [expected, actual] = [Buffer.from(`Bearer ${token}`), Buffer.from(header ?? "")];
  return expected.byteLength === actual.byteLength && timingSafeEqual(expected, actual);
}

function refusal(status: number, error: string): Answer {
  return { status, body: { error } };
}
