import assert from "node:assert/strict";
import type { Mirror } from "../../../src/sync/vault/mirror.ts";
import type { PolledClassFacts } from "./polling-worker.ts";

/** A class that selects objects from the list of its vault, by name. */
export const SHOP: PolledClassFacts = {
  objects: [],
  secrets: { shop: [] },
  objectSelectors: "shop:\n  names: shop-*\n  keys: {removePrefix: shop-, letters: upper, hyphens: _}\n",
};

/** Values by key of the Secrets to write. */
export function valuesOf(answer: Mirror): Readonly<Record<string, string>> {
  assert.equal(answer.kind, "answered", JSON.stringify(answer));
  const made = answer.secrets.flatMap((secret) => (secret.kind === "desired" ? [...secret.secret.data] : []));
  return Object.fromEntries(made.map(([key, value]) => [key, Buffer.from(value.reveal()).toString()]));
}

/** State of each Secret of the class. */
export function stateOf(answer: Mirror): readonly string[] {
  assert.equal(answer.kind, "answered", JSON.stringify(answer));
  return answer.secrets.map((secret) => (secret.kind === "failed" ? `${secret.reason}: ${secret.message}` : secret.kind));
}
