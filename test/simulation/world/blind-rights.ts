/** What the cluster lets a worker do that is to read no Secrets. */
import type { Attributes } from "../api/interface.ts";
import { WORKER } from "../api/policies.ts";

/** Credentials of classes, and the worker's own key. */
const READABLE = new Set(["secrets-store-creds", "keyvault-injector-sync-key"]);

/** `--secret-access=blind`: no Secret is listed or watched, and none read but these. */
export function isBlindly({ user, group, resource, verb, name = "" }: Attributes): boolean {
  if (user !== WORKER || group !== "" || resource !== "secrets") return true;
  if (verb === "list" || verb === "watch") return false;
  return verb !== "get" || READABLE.has(name);
}
