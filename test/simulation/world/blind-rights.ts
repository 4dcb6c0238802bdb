/** Rights of a worker in blind mode: the patches of the overlay `blind` to the roles. */
import type { Attributes, Objects } from "../api/interface.ts";
import { WORKER } from "../api/policies.ts";
import { isGranted } from "../api/rights.ts";

/** The worker's own key. */
const KEY = "keyvault-injector-sync-key";
/** Credentials of classes, and the key. */
const READABLE = new Set(["secrets-store-creds", KEY]);

/**
 * `--secret-access=blind`: the worker can neither list nor watch Secrets. It can read only these, and patch only its key. It can write
 * others, but only as a whole.
 */
export function isGrantedBlindly(attributes: Attributes, objects: Objects): boolean {
  const { user, group, resource, verb, name = "" } = attributes;
  if (user !== WORKER || group !== "" || resource !== "secrets") return isGranted(attributes, objects);
  if (verb === "list" || verb === "watch") return false;
  if (verb === "get") return READABLE.has(name) && isGranted(attributes, objects);
  if (verb === "patch") return name === KEY;
  return isGranted(verb === "update" ? { ...attributes, verb: "patch" } : attributes, objects);
}
