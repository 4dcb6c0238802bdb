import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { MANIFESTS } from "./shipped-manifests.ts";

/** What the component `shards` adds to the worker's Role, as a JSON patch. */
export function shardRights(): unknown {
  const component = readFileSync(path.join(MANIFESTS, "components/shards/rights/kustomization.yaml"), "utf8");
  const { patches } = parse(component) as { readonly patches: readonly { readonly patch: string }[] }; // As it is shipped.
  return parse(patches[0]?.patch ?? "");
}
