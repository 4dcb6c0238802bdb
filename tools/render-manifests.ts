/**
 * Renders the files of a release: `crds.yaml`, `keyvault-injector.yaml` and `node-side.yaml` of `manifests/releases/<version>`, and the
 * Helm chart. First renders the policies that inject without a webhook, because kustomize reads them as sources.
 *
 * node tools/render-manifests.ts [--check] [--kubectl <path>] [--out <folder>]
 *
 * `--check` writes nothing, and fails if a file is out of date. `--out` names another folder than the release's, and renders only the
 * release's own files.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { chartFiles } from "./helm-chart/chart-files.ts";
import { injectionFiles } from "./injection-policy/files.ts";

const root = path.resolve(import.meta.dirname, "..");

/** Files of a release and the kustomizations from which each is rendered, in the order in which users apply them. */
const OUTPUTS = [
  { file: "crds.yaml", sources: ["manifests/crds"], title: "custom resource definitions; applied first" },
  { file: "keyvault-injector.yaml", sources: ["manifests/overlays/default"], title: "the product" },
  {
    file: "node-side.yaml",
    sources: ["manifests/components/csi-driver", "manifests/components/azure-provider"],
    title: "CSI driver and Azure provider, for a cluster that has neither",
  },
] as const;

/** Runs kubectl's built-in kustomize on a folder, relative to the checkout or absolute. */
export async function renderKustomization(kubectl: string, folder: string): Promise<string> {
  // Without environment variables, so that the result does not depend on the user's machine.
  const { stdout } = await promisify(execFile)(kubectl, ["kustomize", folder], { cwd: root, env: {}, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

interface Rendered {
  readonly file: string;
  readonly text: string;
}

async function renderRelease(kubectl: string, out: string | undefined): Promise<readonly Rendered[]> {
  const version = await packageVersion();
  const folder = out === undefined ? path.join(root, "manifests", "releases", version) : path.resolve(out);
  return Promise.all(
    OUTPUTS.map(async ({ file, sources, title }) => {
      const parts = await Promise.all(sources.map((source) => renderKustomization(kubectl, source)));
      const heading = `# keyvault-injector ${version}: ${title}. Made by tools/render-manifests.ts from ${sources.join(" and ")}.\n`;
      return { file: path.join(folder, file), text: `${heading}${parts.join("---\n")}` };
    }),
  );
}

/** Writes the policies before the rest is rendered, because the other files are rendered from them. */
async function renderPolicies(isCheck: boolean): Promise<readonly Rendered[]> {
  const rendered = injectionFiles(await packageVersion()).map(({ file, text }) => ({ file: path.join(root, file), text }));
  if (!isCheck) await write(rendered);
  return isCheck ? rendered : [];
}

async function write(rendered: readonly Rendered[]): Promise<void> {
  for (const { file, text } of rendered) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    console.log(path.relative(process.cwd(), file));
  }
}

async function renderChart(kubectl: string): Promise<readonly Rendered[]> {
  const files = await chartFiles((folder) => renderKustomization(kubectl, folder), await packageVersion());
  return files.map(({ file, text }) => ({ file: path.join(root, file), text }));
}

async function packageVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest && typeof manifest.version === "string")
    return manifest.version;
  throw new Error("package.json has no version: add one");
}

function kubectlFrom(flag: string | undefined): string {
  if (flag !== undefined) return path.resolve(flag);
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets !== undefined && assets !== "") return path.join(assets, "kubectl");
  throw new Error("no kubectl to render with: pass --kubectl <path>, or set KUBEBUILDER_ASSETS to the folder that holds it");
}

/** Undefined if the file exists and is current. */
async function differenceOf({ file, text }: Rendered): Promise<string | undefined> {
  const stored = await readFile(file, "utf8").catch(() => undefined);
  if (stored === text) return undefined;
  const shown = path.relative(process.cwd(), file);
  return stored === undefined ? `${shown} is missing` : `${shown} is not what its sources render to`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { check: { type: "boolean", default: false }, kubectl: { type: "string" }, out: { type: "string" } },
  });
  const kubectl = kubectlFrom(values.kubectl);
  const sources = values.out === undefined ? await renderPolicies(values.check) : [];
  const chart = values.out === undefined ? await renderChart(kubectl) : [];
  const rendered = [...sources, ...(await renderRelease(kubectl, values.out)), ...chart];
  if (values.check) {
    const differences = (await Promise.all(rendered.map(differenceOf))).filter((difference) => difference !== undefined);
    for (const difference of differences) console.error(`${difference}: run node tools/render-manifests.ts`);
    return differences.length === 0 ? 0 : 1;
  }
  await write(rendered);
  return 0;
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  });
}
