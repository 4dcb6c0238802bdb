/** Helm itself, in the two major versions that people have. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { builtProgram, programRefusal } from "../../e2e/support/binaries.ts";
import { MANIFESTS, type Manifest, parseManifests } from "./shipped-manifests.ts";

export const HELM_VERSIONS = ["helm-3", "helm-4"] as const;

export type HelmVersion = (typeof HELM_VERSIONS)[number];

export const CHART = path.join(MANIFESTS, "helm/keyvault-injector");

/** Of the API server that the chart is rendered for, where a test does not say another. */
const KUBERNETES = "1.36.0";

export interface HelmAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why Helm can't be had here; undefined where it can. */
export function helmRefusal(): string | undefined {
  return programRefusal(HELM_VERSIONS);
}

/** Runs Helm with a home of its own, so that nothing of the machine's owner gets in. */
export async function runHelm(version: HelmVersion, args: readonly string[], kubeconfig?: string): Promise<HelmAnswer> {
  const helm = await builtProgram(version);
  const home = mkdtempSync(path.join(tmpdir(), "helm-"));
  // Helm renders, and ends: what it collected of its garbage was a third of its CPU time.
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    GOGC: "400",
    ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
  };
  try {
    return await new Promise((resolve) => {
      execFile(helm, args, { env: environment, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

export interface Rendering {
  readonly namespace?: string;
  /** As `--set` takes them. */
  readonly set?: readonly string[];
  /** Further arguments. */
  readonly args?: readonly string[];
  readonly kubernetes?: string;
}

export function templateArguments({
  namespace = "keyvault-injector",
  set = [],
  args = [],
  kubernetes = KUBERNETES,
}: Rendering = {}): string[] {
  const given = set.flatMap((value) => ["--set", value]);
  return ["template", "akvsecretsprovider", CHART, "--namespace", namespace, "--kube-version", kubernetes, ...given, ...args];
}

/** The chart's objects as text; throws what Helm says where it refuses. */
export async function renderChart(version: HelmVersion, rendering: Rendering = {}): Promise<string> {
  const { code, stdout, stderr } = await runHelm(version, templateArguments(rendering));
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** Without the copies that a policy compares with: what runs. */
export function withoutPodTemplates(text: string): string {
  return text
    .split(/^---$/m)
    .filter((document) => !/^kind: PodTemplate$/m.test(document))
    .join("---");
}

export async function chartObjects(version: HelmVersion, rendering: Rendering = {}): Promise<readonly Manifest[]> {
  return parseManifests(await renderChart(version, rendering)).filter((object) => object !== null);
}

/** What Helm says when it refuses; throws where it does not. */
export async function chartRefusal(version: HelmVersion, rendering: Rendering): Promise<string> {
  const { code, stderr } = await runHelm(version, templateArguments(rendering));
  if (code === 0) throw new Error("the chart was rendered, which it should not have been");
  return stderr;
}
