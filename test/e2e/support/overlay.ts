import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { MANIFESTS } from "../../support/cluster/shipped-manifests.ts";
import type { NodePatch } from "../node-patches.ts";
import type { RealNode } from "./node.ts";

/** A user's own overlay of the repository's manifests. */
export interface Overlay {
  /** Folders and files below `manifests`. */
  readonly resources: readonly string[];
  /** Folders below `manifests`. */
  readonly components?: readonly string[];
  readonly patches?: readonly NodePatch[];
  /** Folders below `manifests`. Use `installed-pods` if a patch changes pods that component healing may write. */
  readonly transformers?: readonly string[];
}

/** Writes the overlay among the node's files. Returns its folder, for `kubectl --kustomize`. */
export function writeOverlay(
  node: Pick<RealNode, "directory">,
  { resources, components = [], patches = [], transformers = [] }: Overlay,
): string {
  const folder = mkdtempSync(path.join(node.directory, "overlay-"));
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: resources.map((resource) => reach(folder, resource)),
    components: components.map((component) => reach(folder, component)),
    patches: patches.map(({ target, operations }) => ({ target, patch: JSON.stringify(operations) })),
    transformers: transformers.map((transformer) => reach(folder, transformer)),
  };
  writeFileSync(path.join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
  return folder;
}

/** Kustomize accepts folders outside the overlay, but not single files. */
function reach(folder: string, resource: string): string {
  const source = path.join(MANIFESTS, resource);
  if (!resource.endsWith(".yaml")) return path.relative(folder, source);
  copyFileSync(source, path.join(folder, path.basename(resource)));
  return path.basename(resource);
}
