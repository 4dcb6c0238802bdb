/** Runs Helm, in the two major versions that users have. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { builtProgram, programRefusal } from "../../e2e/support/binaries.ts";
import { MANIFESTS, type Manifest, parseManifests } from "./shipped-manifests.ts";

export const HELM_VERSIONS = ["helm-3", "helm-4"] as const;

export type HelmVersion = (typeof HELM_VERSIONS)[number];

export const CHART = path.join(MANIFESTS, "helm/keyvault-injector");

/** Version of the API server for which the chart is rendered by default. */
const KUBERNETES = "1.36.0";

export interface HelmAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Reason why Helm is not available here. Undefined if it is. */
export function helmRefusal(): string | undefined {
  return programRefusal(HELM_VERSIONS);
}

/** Runs Helm with its own home folder, so that the machine's settings have no effect. `variables`: further ones, such as KUBECONFIG. */
export async function runHelm(
  version: HelmVersion,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<HelmAnswer> {
  const helm = await builtProgram(version);
  const home = mkdtempSync(path.join(tmpdir(), "helm-"));
  // Helm renders and ends. Garbage collection took a third of its CPU time.
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    GOGC: "400",
    ...variables,
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
  /** Values for `--set`. */
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

/** Renders the chart's objects as text. Throws with Helm's message if Helm fails. */
export async function renderChart(version: HelmVersion, rendering: Rendering = {}): Promise<string> {
  const { code, stdout, stderr } = await runHelm(version, templateArguments(rendering));
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** Removes the PodTemplates, which exist only for a policy to compare with, so that the workloads remain. */
export function withoutPodTemplates(text: string): string {
  return text
    .split(/^---$/m)
    .filter((document) => !/^kind: PodTemplate$/m.test(document))
    .join("---");
}

export async function chartObjects(version: HelmVersion, rendering: Rendering = {}): Promise<readonly Manifest[]> {
  return parseManifests(await renderChart(version, rendering)).filter((object) => object !== null);
}

/** Helm's message if it rejects the values. Throws if it renders the chart. */
export async function chartRefusal(version: HelmVersion, rendering: Rendering): Promise<string> {
  const { code, stderr } = await runHelm(version, templateArguments(rendering));
  if (code === 0) throw new Error("the chart was rendered, which it should not have been");
  return stderr;
}
