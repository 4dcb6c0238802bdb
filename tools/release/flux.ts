/** Writes a release for Flux: an artifact with the folder `manifests`, and the files of `manifests/gitops/flux` that install from it. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseDocument, stringify } from "yaml";
import type { TarEntry } from "./tar.ts";

const MANIFESTS = path.resolve(import.meta.dirname, "../../manifests");
/** In the order of their dependencies. */
const KUSTOMIZATIONS = ["crds.yaml", "product.yaml", "node-side.yaml"] as const;

/** The folders to which `path` of a Kustomization can refer, without the chart and the rendered manifests. */
export function fluxContent(): readonly TarEntry[] {
  return globSync("**/*", { cwd: MANIFESTS, withFileTypes: true, exclude: ["releases/**", "helm/**"] })
    .filter((entry) => entry.isFile())
    .map((entry): TarEntry => {
      const source = path.join(entry.parentPath, entry.name);
      return { path: path.posix.join("manifests", path.relative(MANIFESTS, source)), kind: "copy", source };
    });
}

export interface FluxSource {
  /** `<registry>/<repository>` of the artifact. */
  readonly place: string;
  readonly version: string;
  /** Digest of the artifact. */
  readonly digest: string;
  /** Whether the registry has no TLS. */
  readonly isPlain: boolean;
  readonly image: PlacedImage;
}

/** The files for a Git repository with another source and image. Users can run `kubectl apply -f` on a cluster with Flux. */
export function fluxManifests({ place, version, digest, isPlain, image }: FluxSource): string {
  const source = {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "OCIRepository",
    metadata: { name: "keyvault-injector", namespace: "flux-system" },
    spec: { url: `oci://${place}`, ref: { tag: version, digest }, interval: "10m", ...(isPlain ? { insecure: true } : {}) },
  };
  const kustomizations = KUSTOMIZATIONS.flatMap(documentsOf).map((text) => {
    const document = parseDocument(text);
    document.setIn(["spec", "sourceRef", "kind"], source.kind);
    if (document.hasIn(["spec", "images"]))
      document.setIn(["spec", "images"], [{ name: "keyvault-injector", newName: image.repository, digest: image.digest }]);
    return document.toString({ lineWidth: 0 });
  });
  const heading = `# keyvault-injector ${version} by Flux, from the registry that the release was pushed to. Before it is removed: docs/how-to/install-with-gitops.md.\n`;
  return `${heading}${[stringify(source, { lineWidth: 0 }), ...kustomizations].join("---\n")}`;
}

function documentsOf(file: string): readonly string[] {
  return readFileSync(path.join(MANIFESTS, "gitops/flux", file), "utf8").split(/^---\n/m);
}

/** The image after its push. Undefined if no registry is set. */
export interface PlacedImage {
  /** With the registry, without a tag. */
  readonly repository: string;
  readonly digest: string;
}
