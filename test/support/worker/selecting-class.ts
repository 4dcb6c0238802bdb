import assert from "node:assert/strict";
import type { Mirror } from "../../../src/sync/vault/mirror.ts";
import type { PolledClassFacts } from "./polling-worker.ts";

/** Selects from the lists of its vault, by name. */
export const SHOP: PolledClassFacts = {
  objects: [],
  secrets: { shop: [] },
  objectSelectors: "shop:\n  names: shop-*\n  keys: {removePrefix: shop-, letters: upper, hyphens: _}\n",
};

/** Of the Secrets that are to be written, by key. */
export function valuesOf(answer: Mirror): Readonly<Record<string, string>> {
  assert.equal(answer.kind, "answered", JSON.stringify(answer));
  const made = answer.secrets.flatMap((secret) => (secret.kind === "desired" ? [...secret.secret.data] : []));
  return Object.fromEntries(made.map(([key, value]) => [key, Buffer.from(value.reveal()).toString()]));
}

/** How each Secret of the class stands. */
export function stateOf(answer: Mirror): readonly string[] {
  assert.equal(answer.kind, "answered", JSON.stringify(answer));
  return answer.secrets.map((secret) => (secret.kind === "failed" ? `${secret.reason}: ${secret.message}` : secret.kind));
}
