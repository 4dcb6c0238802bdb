import path from "node:path";
import type { KubeConfig, User } from "@kubernetes/client-node";
import { listAt, memberOf, membersOf } from "../domain/json-members.ts";
import type { JsonObject } from "../domain/json-object.ts";
import { addPlugin, addPluginConfig, makePluginAbsolute } from "./credential-plugin.ts";
import { addImpersonation } from "./impersonation.ts";

/** Adds to what client-node has read what it does not read of the same document. */
export function addFields(config: KubeConfig, document: unknown): void {
  for (const entry of listAt(membersOf(document), "users")) {
    const user = config.getUsers().find(({ name }) => name === entry["name"]);
    if (user === undefined) continue;
    const fields = memberOf(entry, "user");
    addTokenFile(user, fields);
    addImpersonation(user, fields);
    addPlugin(user, fields);
  }
  for (const entry of listAt(membersOf(document), "clusters")) {
    const cluster = config.getClusters().find(({ name }) => name === entry["name"]);
    if (cluster !== undefined) addPluginConfig(cluster, memberOf(entry, "cluster"));
  }
}

/** Of the files that client-node does not know. */
export function makeAddedPathsAbsolute(config: KubeConfig, folder: string): void {
  for (const user of config.users) {
    makePluginAbsolute(user, folder);
    const provider: { config?: { tokenFile?: unknown } } | undefined | null = user.authProvider;
    const file = provider?.config?.tokenFile;
    if (typeof file === "string" && provider?.config !== undefined) provider.config.tokenFile = path.resolve(folder, file);
  }
}

/** The kubeconfig field is `tokenFile`; client-node knows only its own spelling and reads that file once. */
function addTokenFile(user: User, { tokenFile }: JsonObject): void {
  // As in client-go, the file wins over a token written next to it.
  if (typeof tokenFile === "string") Object.assign(user, { authProvider: { name: "tokenFile", config: { tokenFile } }, token: undefined });
}
