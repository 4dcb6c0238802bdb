/** Builds all parts of a release from the checkout into a folder. Does not push anything, and signs only the chart. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "../build.ts";
import { sectionOf } from "../helm-chart/changes.ts";
import { PROJECT, withAbsoluteLinks } from "../helm-chart/project.ts";
import { addChart, addFiles, addFluxArtifact, releaseManifests } from "./artifacts.ts";
import { basePackages } from "./base-packages.ts";
import type { SignChart } from "./chart-provenance.ts";
import { writeCommandLine } from "./command-line.ts";
import { fluxManifests, type PlacedImage } from "./flux.ts";
import { addImage, type BuiltImage } from "./image.ts";
import { nodeProgram } from "./node-program.ts";
import { type Descriptor, digestOf, OciLayout } from "./oci-layout.ts";
import { ARCHITECTURES, type Architecture } from "./platform.ts";
import { builder, provenance, type Statement, type Subject } from "./provenance.ts";
import { isPlain } from "./registry.ts";
import { type Bom, imageBom, makeBom } from "./sbom.ts";

const root = path.resolve(import.meta.dirname, "../..");
const NAME = "keyvault-injector";

/** Repositories below the registry, by their content. */
export const REPOSITORIES = { image: NAME, chart: `charts/${NAME}`, manifests: `manifests/${NAME}`, files: `${NAME}-files` } as const;

export interface Release {
  readonly version: string;
  /** Folder with the files, and with the OCI layout in `oci`. */
  readonly folder: string;
  readonly layout: string;
  readonly files: readonly string[];
  readonly image: BuiltImage;
  readonly artifacts: Readonly<Record<keyof typeof REPOSITORIES, Descriptor>>;
  readonly boms: Readonly<Record<Architecture, Bom>>;
  readonly provenance: Statement;
}

export interface ReleaseOptions {
  readonly folder: string;
  /** Registry for the push, `<host>/<prefix>`. Undefined if the release stays here. */
  readonly registry: string | undefined;
  /** Writes the chart's provenance. Default none. */
  readonly signChart?: SignChart | undefined;
  /** Called at the start of each stage. */
  readonly onStage?: (stage: string) => void;
}

interface Commit {
  readonly id: string;
  /** ISO 8601. */
  readonly date: string;
}

export async function makeRelease({ folder, registry, signChart, onStage = () => {} }: ReleaseOptions): Promise<Release> {
  const { version } = PROJECT;
  const commit = headCommit();
  const notes = withAbsoluteLinks(`## ${sectionOf(readFileSync(path.join(root, "CHANGELOG.md"), "utf8"), version)}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const dist = path.join(folder, "dist");
  onStage("compiling the program");
  await build(dist);

  const layout = new OciLayout(path.join(folder, "oci"));
  const annotations = annotationsOf(version, commit);
  onStage("building the image for amd64 and arm64");
  const image = await addImage(layout, { dist, labels: annotations, created: commit.date });
  const placed = registry === undefined ? undefined : { repository: `${registry}/${REPOSITORIES.image}`, digest: image.index.digest };
  onStage("packing the chart and the manifests");
  const chart = await addChart(layout, { image: placed, annotations, sign: signChart, date: commit.date });
  const fluxArtifact = await addFluxArtifact(layout, annotations);
  onStage("listing the packages of the image");
  const bom = await makeBom();
  const boms = { amd64: await bomFor(bom, "amd64"), arm64: await bomFor(bom, "arm64") };

  onStage("building the command-line tool for amd64 and arm64");
  const files = await writeCommandLine(folder, dist);
  const all = [
    ...files,
    ...writeFiles(folder, {
      ...chart.files,
      [`${NAME}-${version}.yaml`]: releaseManifests(version, placed, { nodeSide: true }),
      [`${NAME}-${version}-without-node-side.yaml`]: releaseManifests(version, placed, { nodeSide: false }),
      ...fluxFile(version, placed, { registry, digest: fluxArtifact.digest }),
      "release-notes.md": notes,
      ...Object.fromEntries(
        ARCHITECTURES.map((each) => [`${NAME}-${version}-linux-${each}.cdx.json`, `${JSON.stringify(boms[each], null, 2)}\n`]),
      ),
    }),
  ].sort();
  const sums = all.map((file) => `${digestOf(readFileSync(path.join(folder, file))).replace("sha256:", "")}  ${file}\n`).join("");
  const withSums = [...all, ...writeFiles(folder, { SHA256SUMS: sums })];
  rmSync(dist, { recursive: true });

  onStage("writing the checksums, the layout, and the provenance");
  const artifacts = {
    image: image.index,
    chart: chart.artifact,
    manifests: fluxArtifact,
    files: addFiles(layout, folder, withSums, annotations),
  };
  for (const [kind, repository] of Object.entries(REPOSITORIES))
    layout.name(`${repository}:${version}`, artifacts[kind as keyof typeof REPOSITORIES]);
  layout.write();
  const made = { version, folder, layout: layout.folder, files: withSums, image, artifacts, boms };
  return { ...made, provenance: await provenanceOf(made, commit, registry) };
}

/** Every artifact, the image of each architecture, and every file. */
export function subjectsOf({ folder, files, image, artifacts }: Omit<Release, "provenance">): readonly Subject[] {
  return [
    ...Object.entries(artifacts).map(([kind, { digest }]) => ({ name: REPOSITORIES[kind as keyof typeof REPOSITORIES], digest })),
    ...ARCHITECTURES.map((each) => ({ name: `${REPOSITORIES.image} (linux/${each})`, digest: image.manifests[each].digest })),
    ...files.map((name) => ({ name, digest: digestOf(readFileSync(path.join(folder, name))) })),
  ];
}

async function provenanceOf(made: Omit<Release, "provenance">, { id }: Commit, registry: string | undefined): Promise<Statement> {
  const sources = {
    version: made.version,
    commit: id,
    lockfile: digestOf(readFileSync(path.join(root, "package-lock.json"))).replace("sha256:", ""),
    nodes: await Promise.all(ARCHITECTURES.map(nodeProgram)),
    base: ARCHITECTURES.flatMap(basePackages),
    registry,
  };
  const made_ = provenance(subjectsOf(made), sources, builder(process.env));
  writeFiles(made.folder, { "provenance.json": `${JSON.stringify(made_, null, 2)}\n` });
  return made_;
}

/** Empty if no registry is set, because the file contains the registry's name. */
function fluxFile(
  version: string,
  image: PlacedImage | undefined,
  { registry, digest }: { readonly registry: string | undefined; readonly digest: string },
): Readonly<Record<string, string>> {
  if (registry === undefined || image === undefined) return {};
  const place = `${registry}/${REPOSITORIES.manifests}`;
  return { [`${NAME}-${version}-flux.yaml`]: fluxManifests({ place, version, digest, isPlain: isPlain(registry), image }) };
}

async function bomFor(bom: Bom, architecture: Architecture): Promise<Bom> {
  return imageBom(bom, { architecture, node: await nodeProgram(architecture), base: basePackages(architecture) });
}

function writeFiles(folder: string, contents: Readonly<Record<string, string | Buffer>>): readonly string[] {
  for (const [file, content] of Object.entries(contents)) writeFileSync(path.join(folder, file), content);
  return Object.keys(contents);
}

function headCommit(): Commit {
  const [id = "", date = ""] = git("log", "-1", "--format=%H %cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ").split(" ");
  return { id, date };
}

/** Names of files that differ from the commit, or are not in it. */
export function uncommitted(): readonly string[] {
  return git("status", "--porcelain").split("\n").filter(Boolean);
}

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8", env: { ...process.env, TZ: "UTC" } }).trimEnd();
}

function annotationsOf(version: string, { id, date }: Commit): Readonly<Record<string, string>> {
  const values = {
    title: NAME,
    description: "Azure Key Vault secrets in Kubernetes pods and Secrets",
    version,
    revision: id,
    created: date,
    licenses: PROJECT.license,
    url: PROJECT.homepage,
    source: PROJECT.repository,
    documentation: `${PROJECT.homepage}/docs`,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`org.opencontainers.image.${name}`, value]));
}
