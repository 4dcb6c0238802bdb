/**
 * Our side of a case: a process that reads a class and fetches its objects like the worker, with its environment as the only access to the
 * vaults. It reads and writes JSON lines, each with the number of its question.
 */
import { createInterface } from "node:readline";

import { createVaultClients } from "../../../src/azure/vault-clients.ts";
import type { ObjectFile } from "../../../src/domain/content/object-file.ts";
import { makesFile } from "../../../src/domain/content/version-history.ts";
import { accountIdentity } from "../../../src/domain/federation.ts";
import type { VaultIdentity } from "../../../src/domain/ports/vault-identity.ts";
import type { ClassObject } from "../../../src/domain/provider-class/object-rules.ts";
import { hasReadablePermission } from "../../../src/domain/provider-class/objects.ts";
import { readServicePrincipal } from "../../../src/domain/provider-class/service-principal.ts";
import type { SupportedIdentity } from "../../../src/domain/provider-class/this-version.ts";
import { openProviderClass, type ProviderClass } from "../../../src/domain/read-class.ts";
import { Sensitive } from "../../../src/domain/sensitive.ts";
import { pki } from "../../../src/pki/pki.ts";
import { cloudFileReader } from "../../../src/sync/vault/cloud-files.ts";
import { fetchObjects } from "../../../src/sync/vault/fetch-objects.ts";
import type { ObjectFailure } from "../../../src/sync/vault/object-refusals.ts";
import type { Outcome } from "./listed-rows.ts";

export interface OurQuestion {
  readonly parameters: Readonly<Record<string, string>>;
  /** Data of the credentials Secret in base64. Null without a Secret. */
  readonly credentials: Readonly<Record<string, string>> | null;
  /** Token of the ServiceAccount, for the audience that Entra exchanges. */
  readonly token?: string;
  /** Folder of cloud files. */
  readonly cloudFiles?: string;
  readonly constructPemChain: boolean;
  readonly writeCertAndKeyInSeparateFiles: boolean;
  readonly cloudName: string;
}

const DEFAULT_MODE = 0o644;
const clients = createVaultClients();
const base64 = (value: Sensitive) => Buffer.from(value.reveal()).toString("base64");

/** Removes the part that we add to the provider's text: the object, and the fix. */
function bareMessage({ message, object }: ObjectFailure): string {
  const place = message.lastIndexOf(` (${object.type}/${object.name}`);
  return place < 0 ? message : message.slice(0, place);
}

/** The last object with the file determines its mode, as it does its contents. The provider uses 0 for a mode that it cannot parse. */
function modeOf(file: ObjectFile, objects: readonly ClassObject[]): number {
  const maker = objects.findLast((object) => makesFile(object, file.path));
  if (maker === undefined) return -1;
  if (maker.filePermission === "") return DEFAULT_MODE;
  return hasReadablePermission(maker) ? Number.parseInt(maker.filePermission, 8) : 0;
}

/** The adapter keeps clients by account. */
function accountOf(token: string): string {
  const [, claims = ""] = token.split(".");
  const { sub } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { sub: string }; // The test creates the token.
  return sub.slice(sub.lastIndexOf(":") + 1);
}

/** Same as in the worker, with the given Secret and token. */
function identityOf({ credentials, token = "" }: OurQuestion, mode: SupportedIdentity): VaultIdentity | string {
  switch (mode.kind) {
    case "workloadIdentity":
    case "azureTokenProxy":
      return accountIdentity(mode, { namespace: "test", name: accountOf(token) }, async () => Sensitive.ofText(token));
    case "managedIdentity":
      return mode;
    case "servicePrincipal": {
      const principal = readServicePrincipal(credentials ?? undefined);
      return principal.ok ? principal.value : principal.error.message;
    }
  }
}

async function fetched(question: OurQuestion, { address, objects }: ProviderClass, identity: VaultIdentity): Promise<Outcome> {
  const { constructPemChain, writeCertAndKeyInSeparateFiles } = question;
  const render = { pki, constructPemChain, writeCertAndKeyInSeparateFiles };
  const client = clients.clientFor(address, identity, "n");
  const { files, failures } = await fetchObjects({ client, render }, objects, new AbortController().signal);
  const [first] = failures;
  if (first !== undefined) return { kind: "refused", message: bareMessage(first) };
  const parts: Record<string, string> = {};
  for (const file of files) {
    parts[`file:${file.path}`] = base64(file.contents);
    parts[`mode:${file.path}`] = String(modeOf(file, objects));
    parts[`version:${file.objectId}`] = file.version;
  }
  return { kind: "done", parts };
}

async function answer(question: OurQuestion): Promise<Outcome> {
  const { parameters, cloudName, cloudFiles = "" } = question;
  const options = { owner: "test/class", cloudName, readCloudFile: cloudFileReader(cloudFiles) };
  const opened = openProviderClass({ provider: "azure", parameters }, options);
  if (opened.kind === "notOurs") return { kind: "refused", message: "not ours" };
  if (opened.kind === "invalid") return { kind: "refused", message: opened.problem.message };
  const identity = identityOf(question, opened.identity);
  if (typeof identity === "string") return { kind: "refused", message: identity };
  const parsed = opened.readObjects();
  return parsed.ok ? fetched(question, parsed.value, identity) : { kind: "refused", message: parsed.error.message };
}

async function respond(line: string): Promise<void> {
  // The test itself writes it.
  const { number, question } = JSON.parse(line) as { number: number; question: OurQuestion };
  const outcome = await answer(question).catch((error: unknown): Outcome => ({ kind: "refused", message: `threw: ${String(error)}` }));
  process.stdout.write(`${JSON.stringify({ number, outcome })}\n`);
}

if (import.meta.main) {
  const open: Promise<void>[] = [];
  for await (const line of createInterface({ input: process.stdin })) open.push(respond(line));
  await Promise.all(open);
}
