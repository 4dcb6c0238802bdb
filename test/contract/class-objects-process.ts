/**
 * A process that fetches the objects of a class like the worker, with its environment as the only access to the vaults. It reads and writes
 * one JSON line per request.
 */
import { createInterface } from "node:readline";

import { createVaultClients } from "../../src/azure/vault-clients.ts";
import { parseProviderClass } from "../../src/domain/read-class.ts";
import { buildSecrets } from "../../src/domain/secret-objects/build.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";
import { readOutboundProxy } from "../../src/runtime/outbound-proxy.ts";
import { cloudFileReader } from "../../src/sync/vault/cloud-files.ts";
import { fetchObjects } from "../../src/sync/vault/fetch-objects.ts";

export interface ClassQuestion {
  readonly parameters: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly writeCertAndKeyInSeparateFiles?: boolean;
  /** `--cloud-env-dir` */
  readonly cloudEnvDir?: string;
  /** File from which to build a Secret of type kubernetes.io/tls. */
  readonly tlsFrom?: string;
}

export interface ClassAnswer {
  /** Base64 contents by file name. */
  readonly files: Readonly<Record<string, string>>;
  /** `type/name@version` by file name. */
  readonly objects: Readonly<Record<string, string>>;
  readonly failures: readonly string[];
  /** Base64 values of the Secret, or the reason why there is none. */
  readonly tls?: Readonly<Record<string, string>> | string;
}

const proxy = readOutboundProxy(process.env);
if (!proxy.ok) throw new Error(proxy.error);
const clients = createVaultClients({ proxy: proxy.value });
const base64 = (value: Sensitive) => Buffer.from(value.reveal()).toString("base64");

function tlsOf(objectName: string, files: Parameters<typeof buildSecrets>[1]): NonNullable<ClassAnswer["tls"]> {
  const data = ["tls.crt", "tls.key"].map((key) => ({ objectName, key }));
  const [outcome] = buildSecrets([{ secretName: "web", type: "kubernetes.io/tls", data }], files, pki);
  if (outcome?.kind !== "desired") return outcome?.problem.message ?? "";
  return Object.fromEntries([...outcome.secret.data].map(([key, value]) => [key, base64(value)]));
}

async function answer(question: ClassQuestion): Promise<ClassAnswer> {
  const { parameters, clientId, clientSecret, writeCertAndKeyInSeparateFiles = false, tlsFrom } = question;
  const options = { owner: "test/class", cloudName: "AzurePublicCloud", readCloudFile: cloudFileReader(question.cloudEnvDir ?? "") };
  const parsed = parseProviderClass({ provider: "azure", parameters }, options);
  if (parsed.kind !== "class") return { files: {}, objects: {}, failures: [JSON.stringify(parsed)] };
  const { address, objects } = parsed.providerClass;
  const client = clients.clientFor(address, { kind: "servicePrincipal", clientId, clientSecret: Sensitive.ofText(clientSecret) }, "n");
  const render = { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles };
  const { files, failures } = await fetchObjects({ client, render }, objects, new AbortController().signal);
  return {
    files: Object.fromEntries(files.map(({ path, contents }) => [path, base64(contents)])),
    objects: Object.fromEntries(files.map(({ path, objectId, version }) => [path, `${objectId}@${version}`])),
    failures: failures.map(({ reason, message }) => `${reason}: ${message}`),
    ...(tlsFrom === undefined ? {} : { tls: tlsOf(tlsFrom, files) }),
  };
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    // The test itself writes it.
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as ClassQuestion))}\n`);
  }
}
