/** Builds the OCI artifacts of a release: chart, manifests and files, in the forms in which Helm, Flux and oras pull them. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { SignChart } from "./chart-provenance.ts";
import { fluxContent, type PlacedImage } from "./flux.ts";
import { type Descriptor, EMPTY, MANIFEST, type OciLayout, tarGz } from "./oci-layout.ts";

const root = path.resolve(import.meta.dirname, "../..");
export const CHART = path.join(root, "manifests/helm/keyvault-injector");

interface Artifact {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

function addArtifact(layout: OciLayout, artifact: Artifact): Descriptor {
  return layout.addJson({ schemaVersion: 2, mediaType: MANIFEST, ...artifact }, MANIFEST);
}

export interface ChartOptions {
  readonly image: PlacedImage | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** Undefined if no key for it is set. */
  readonly sign: SignChart | undefined;
  /** Date of the signature, ISO 8601. */
  readonly date: string;
}

/**
 * Adds the artifact for `helm install oci://…`, and returns it with the packaged chart and its provenance as files by name. The chart's
 * default image is the pushed one by digest.
 */
export async function addChart(
  layout: OciLayout,
  { image, annotations, sign, date }: ChartOptions,
): Promise<{ readonly files: Readonly<Record<string, Buffer | string>>; readonly artifact: Descriptor }> {
  const files = globSync("**/*", { cwd: CHART, withFileTypes: true }).filter((entry) => entry.isFile());
  const { content } = await tarGz(
    files.map((entry) => {
      const source = path.join(entry.parentPath, entry.name);
      const file = path.relative(CHART, source);
      const text = readFileSync(source, "utf8");
      return {
        path: path.posix.join("keyvault-injector", file),
        kind: "file",
        content: file === "values.yaml" ? withImage(text, image) : text,
      };
    }),
  );
  const metadata = readFileSync(path.join(CHART, "Chart.yaml"), "utf8");
  const chart: { readonly name: string; readonly version: string } = parse(metadata);
  const name = `${chart.name}-${chart.version}.tgz`;
  const provenance = await sign?.({ metadata, name, archive: content, date });
  const config = layout.addJson(chart, "application/vnd.cncf.helm.config.v1+json");
  const layers = [
    layout.addBlob(content, "application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
    ...(provenance === undefined ? [] : [layout.addBlob(provenance, "application/vnd.cncf.helm.chart.provenance.v1.prov")]),
  ];
  return {
    files: { [name]: content, ...(provenance === undefined ? {} : { [`${name}.prov`]: provenance }) },
    artifact: addArtifact(layout, { config, layers, annotations }),
  };
}

/** Sets the image in the generated values. Throws if they do not have the expected form. */
export function withImage(values: string, image: PlacedImage | undefined): string {
  if (image === undefined) return values;
  const own = /^image:\n(?:[ #].*\n|\n)*?  repository: keyvault-injector\n(?:[ #].*\n|\n)*?  digest: ""\n/m;
  if (!own.test(values)) throw new Error("values.yaml has no image with repository and digest: the release cannot name its own");
  return values.replace(own, (block) =>
    block
      .replace("  repository: keyvault-injector\n", `  repository: ${image.repository}\n`)
      .replace('  digest: ""\n', `  digest: ${image.digest}\n`),
  );
}

/** Rendered files of a release, in the order in which users apply them. */
const RENDERED = ["crds.yaml", "keyvault-injector.yaml", "node-side.yaml"] as const;

/** One file for `kubectl apply -f`: the CRDs, the product, and driver and provider unless the cluster has them. */
export function releaseManifests(version: string, image: PlacedImage | undefined, { nodeSide }: { readonly nodeSide: boolean }): string {
  const files = RENDERED.filter((file) => nodeSide || file !== "node-side.yaml");
  const parts = files.map((file) => readFileSync(path.join(root, "manifests/releases", version, file), "utf8"));
  const warning =
    "# Without -l app.kubernetes.io/name=keyvault-injector, kubectl delete -f of this file deletes the CRDs, and with them every class: see docs/how-to/uninstall.md.\n";
  const text = `${warning}${parts.join("---\n")}`;
  if (image === undefined) return text;
  const name = `image: keyvault-injector:${version}`;
  if (!text.includes(`${name}\n`)) throw new Error(`the rendered manifests have no ${name}: npm run render-manifests`);
  return text.replaceAll(`${name}\n`, `image: ${image.repository}:${version}@${image.digest}\n`);
}

/** Adds the artifact for Flux's OCIRepository. */
export async function addFluxArtifact(layout: OciLayout, annotations: Readonly<Record<string, string>>): Promise<Descriptor> {
  const { content } = await tarGz(fluxContent());
  const config = layout.addJson({}, "application/vnd.cncf.flux.config.v1+json");
  return addArtifact(layout, { config, layers: [layout.addBlob(content, "application/vnd.cncf.flux.content.v1.tar+gzip")], annotations });
}

/** Adds each file as a layer with its name, as `oras pull` expects. */
export function addFiles(
  layout: OciLayout,
  folder: string,
  files: readonly string[],
  annotations: Readonly<Record<string, string>>,
): Descriptor {
  const layers = files.map((file) => ({
    ...layout.addBlob(readFileSync(path.join(folder, file)), "application/octet-stream"),
    annotations: { "org.opencontainers.image.title": file },
  }));
  const artifactType = "application/vnd.keyvault-injector.release.v1";
  return addArtifact(layout, { artifactType, config: layout.addBlob("{}", EMPTY), layers, annotations });
}
